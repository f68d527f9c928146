"""Table 1 of MSG on MNIST with its learned column: `python -m studies.table1` writes it, after all missing runs.

The learned defense and the best constant action are policies that `sparring harden` made. They are shown beside all
fixed rules of the catalogue and the paper's own, in the strong reading of the attacks (`msg-table1`).
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sparring.experiments.analysis.claims import judge_difference
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP, compare, format_difference, summarize
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.msg import setting, table1, table4
from sparring.experiments.reproductions.preset import assumed_share
from sparring.experiments.sweeps import plan_sweep
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED
from studies.hardened import learned_sections, make_options, name_policies, run_all
from studies.table import SAME, rules
from tools.site.examples import section

LAPTOP = setting.BASES["laptop"]
BASE: Section = {
    "data": {"name": "mnist", **LAPTOP["data"]},
    "model": {"name": "cnn", "width": 8},
    "federation": {**LAPTOP["federation"], "rounds": 150},
    "evaluation": LAPTOP["evaluation"],
}
"""The federation: the laptop scale of the presets, on MNIST."""
ROWS: Mapping[str, str] = {
    setting.NONE: setting.NONE,
    "IPM": setting.MINIMUM,
    "LMP": "LMP",
    **{published: row for row, published in setting.STRONG.items()},
}
"""The rows of the table, and the attackers of the presets that stand for each."""
PAPER: Mapping[str, str] = {
    "mean": setting.FEDAVG,
    "trimmed_mean": setting.TRIMMED_MEAN,
    "fltrust": setting.FLTRUST,
    table1.CLIP_MED: table1.CLIP_MED,
    setting.FLTRUST_NEUROCLIP: setting.FLTRUST_NEUROCLIP,
}
"""The rules that are columns of the published table, and their names there."""
LEARNED_COLUMN: setting.Pairs = (
    (0.7053, 0.0999),
    (0.6862, 0.0637),
    (0.7109, 0.037),
    (0.7106, 0.0143),
    (0.6699, 0.2838),
    (0.6949, 0.0025),
    (0.6934, 0.2136),
)
"""The published column of the learned defense, meta-RL, row by row."""
CLAIMED = "learned (meta-RL)"
AVERAGE, END = "average_", ""
MOMENTS: Mapping[str, str] = {AVERAGE: "averages over the run", END: "after the last round"}
"""The prefixes of the measured columns, in words."""


class Side(NamedTuple):
    """A value that defenses are compared in."""

    name: str
    of: Callable[[pd.DataFrame, str], pd.Series]
    """Returns the value of each run, given the prefix of its columns: more is better."""


SIDES = (
    Side("accuracy", lambda runs, when: runs[f"{when}accuracy"]),
    Side("backdoor accuracy", lambda runs, when: -runs[f"{when}backdoor_accuracy"]),
    Side("accuracy - backdoor accuracy", lambda runs, when: runs[f"{when}accuracy"] - runs[f"{when}backdoor_accuracy"]),
)
SCORE = SIDES[-1]


def fixed() -> dict[str, Section]:
    """Return all fixed rules: those of the catalogue with their defaults, and those that the paper has beside them."""
    catalogue = {rule.name: {"defense": section(rule)} for rule in rules() if rule.name not in SAME}
    own = {label: bundle for label, bundle in table1.DEFENSES.items() if label not in PAPER.values()}
    shown = {label: table1.DEFENSES[label] for label in PAPER if label in table1.DEFENSES}
    return {**catalogue, **shown, **own}


def document(
    row: str, policies: Mapping[str, Path], *, seeds: Sequence[int], chosen: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the sweep of a row: its attackers against every policy, and against the chosen rules, or all.

    Rules assume the true share of malicious updates where the presets let them, else 20 %, up to the limit of each.
    """
    named, clients = ROWS[row], BASE["federation"]["clients"]
    attackers = setting.make_attackers("laptop", target=table4.TARGET, source=None)[named]
    true = sum(each["malicious"] for each in attackers) / clients
    wanted = true if named in setting.STRONG else setting.ASSUMED
    known = fixed()
    bundles = {**learned_sections(policies), **{name: known[name] for name in chosen or known}}
    return {
        "base": {**BASE, "attacks": list(attackers)},
        "axes": {
            DEFENSE: {
                label: {
                    "post_training": {"name": "none"},
                    **bundle,
                    "threat.assumed_malicious": wanted if label in policies else _assumed(wanted, bundle),
                }
                for label, bundle in bundles.items()
            },
            SEED: list(seeds),
        },
    }


def _assumed(wanted: float, bundle: Section) -> float:
    return assumed_share(wanted, sampled=BASE["federation"]["sampled"], rules=[bundle["defense"]])


def folder_of(runs: Path, row: str) -> Path:
    """Return the folder of a row's sweep."""
    return runs / re.sub(r"[^a-z0-9]+", "-", row.lower())


def read_rows(runs: Path, rows: Sequence[str]) -> pd.DataFrame:
    """Return one line per complete run of these rows."""
    frames = [read_frame(folder_of(runs, row)).assign(**{ATTACK: row}).astype({DEFENSE: str}) for row in rows]
    return pd.concat(frames, ignore_index=True)


def written(runs: pd.DataFrame, policies: Sequence[str]) -> str:
    """Return all tables: what was measured, the verdicts on the first policy, and the published values beside."""
    parts = []
    for when, words in MOMENTS.items():
        parts += [
            f"Accuracy / backdoor accuracy, {words}, mean ± standard deviation:",
            _as_markdown(_measured(runs, policies, when)),
        ]
        if policies:
            parts += [f"Verdicts on **{policies[0]}**, {words}:", _as_markdown(_judged(runs, policies, when))]
    parts += ["Published (CIFAR-10) → measured, averages over the run:", _as_markdown(_published(runs, policies))]
    return "\n\n".join(parts) + "\n"


def _measured(runs: pd.DataFrame, policies: Sequence[str], when: str) -> Iterator[list[str]]:
    """Yield a line for each defense, from the best worst row on."""
    rows, scores = list(dict.fromkeys(runs[ATTACK])), SCORE.of(runs, when)
    means = scores.groupby([runs[DEFENSE], runs[ATTACK]]).mean()
    worst = means.groupby(level=0).min().sort_values(ascending=False)
    yield ["defense", *rows, "worst difference"]
    for name in worst.index:
        label = f"**{name}**" if name in policies else f"`{name}`"
        yield [label, *(_cell(_select(runs, name, row), when) for row in rows), f"{worst[name]:.3f}"]


def _select(runs: pd.DataFrame, defense: str, row: str) -> pd.DataFrame:
    return runs[(runs[DEFENSE] == defense) & (runs[ATTACK] == row)]


def _cell(own: pd.DataFrame, when: str) -> str:
    names = (f"{when}accuracy", f"{when}backdoor_accuracy")
    return " / ".join(_spread(own[name]) for name in names) if len(own) else "-"


def _spread(values: pd.Series) -> str:
    summary = summarize(list(values))
    return f"{summary.mean:.2f}" if summary.std is None else f"{summary.mean:.2f} ± {summary.std:.2f}"


def _judged(runs: pd.DataFrame, policies: Sequence[str], when: str) -> Iterator[list[str]]:
    """Yield the verdicts on the first policy, row by row, with the paired difference to what it is compared with.

    The first values ask whether it is at most the smallest difference that counts worse than the best fixed rule of
    the row, which was chosen on these same seeds. The last asks whether it is better than the second policy.
    """
    learned, *others = policies
    constant = others[:1]
    yield ["attack", *(side.name for side in SIDES), *(f"better than {name}" for name in constant)]
    for row in dict.fromkeys(runs[ATTACK]):
        own = runs[runs[ATTACK] == row]
        line = [_against_best(own, side, policies, when) for side in SIDES]
        yield [row, *line, *(_compared(own, SCORE, (learned, name), when, margin=0.0) for name in constant)]


def _against_best(own: pd.DataFrame, side: Side, policies: Sequence[str], when: str) -> str:
    """Return the verdict on the first policy against the fixed rule that is best in one value."""
    means = side.of(own, when).groupby(own[DEFENSE]).mean().drop(index=list(policies), errors="ignore")
    if not len(means):
        return "-"
    best = str(means.idxmax())
    return f"{_compared(own, side, (policies[0], best), when, margin=-SMALLEST_GAP)}, to `{best}`"


def _compared(own: pd.DataFrame, side: Side, pair: tuple[str, str], when: str, *, margin: float) -> str:
    """Return the verdict that the first of two defenses exceeds the second by more than a margin."""
    values = side.of(own, when)
    first, second = (dict(zip(own[SEED][chosen], values[chosen], strict=True)) for chosen in _rows_of(own, pair))
    if not first.keys() & second.keys():
        return "-"
    difference = compare(first, second)
    return f"**{judge_difference(difference, margin)}** {format_difference(difference)}"


def _rows_of(own: pd.DataFrame, pair: tuple[str, str]) -> Iterator[pd.Series]:
    return (own[DEFENSE] == name for name in pair)


def _published(runs: pd.DataFrame, policies: Sequence[str]) -> Iterator[list[str]]:
    """Yield the published pairs with the measured ones in the presets' reading: over all triggered images."""
    learned = {policies[0]: CLAIMED} if policies else {}
    columns = {name: label for name, label in {**PAPER, **learned}.items() if name in set(runs[DEFENSE])}
    yield ["attack", *columns.values()]
    published = dict(zip(ROWS, LEARNED_COLUMN, strict=True))
    for row in dict.fromkeys(runs[ATTACK]):
        known = {**dict(zip(table1.COLUMNS, table1.PUBLISHED[row], strict=True)), CLAIMED: published[row]}
        yield [row, *(f"{_pair(known[label])} → {_stated(runs, name, row)}" for name, label in columns.items())]


def _stated(runs: pd.DataFrame, defense: str, row: str) -> str:
    own = _select(runs, defense, row)
    return _pair([own[name].mean() for name in setting.STATED]) if len(own) else "-"


def _pair(values: Sequence[float]) -> str:
    return "/".join(f"{value:.2f}" for value in values)


def _as_markdown(lines: Iterator[list[str]]) -> str:
    head, *body = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body))


def main() -> None:
    options = make_options(__doc__, fixed())
    options.add_argument("--rows", nargs="+", default=list(ROWS), choices=ROWS, metavar="ROW", help="default: all")
    given = options.parse_args()
    policies = name_policies(given.policy)
    is_complete = True
    for row in given.rows:
        plan = plan_sweep(document(row, policies, seeds=given.seeds, chosen=given.rules))
        is_complete = run_all(plan, folder_of(given.runs, row), jobs=given.jobs) and is_complete
    sys.stdout.write(written(read_rows(given.runs, given.rows), list(policies)))
    sys.exit(not is_complete)


if __name__ == "__main__":
    main()
