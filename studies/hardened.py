"""Learned defenses and every fixed rule under a domain of attacks: `python -m studies.hardened` writes the table."""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.statistics import Summary, compare, summarize
from sparring.experiments.config.sections import Section, subsection
from sparring.experiments.config.yaml_reader import parse_value
from sparring.experiments.hardening.domain_settings import list_types
from sparring.experiments.sweeps import Plan, plan_sweep
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED
from studies.table import run_missing
from tools.site.examples import player, section
from tools.site.members import members

SETTINGS: Mapping[str, Section] = {
    "digits": {
        "data": {"name": "digits"},
        "model": {"name": "logistic"},
        "federation": {"clients": 50, "rounds": 200},
        "evaluation": {"every": 200},
    },
    "mnist": {
        "data": {"name": "mnist", "partition": {"name": "label_skew", "q": 0.5}},
        "model": {"name": "cnn", "width": 8},
        "federation": {"clients": 100, "rounds": 150},
        "evaluation": {"every": 150},
    },
}
"""The federations in which defenses are compared."""
DOMAIN = "harden"
NONE: Mapping[str, Section] = {}
SHARE = 0.2
"""The share of malicious updates that every rule assumes, up to the limit of each."""
SAMPLED = 10


class RowScore(NamedTuple):
    """A defense over all types: the mean score by type, and the seed-by-seed means."""

    by_type: Mapping[str, Summary]
    means: Mapping[int, float]

    @property
    def worst(self) -> float:
        """The lowest mean score."""
        return min(summary.mean for summary in self.by_type.values())


def document(
    setting: str,
    policies: Mapping[str, Path],
    *,
    seeds: Sequence[int],
    chosen: Sequence[str] = (),
    settled: Mapping[str, Section] = NONE,
) -> dict[str, Any]:
    """Return the sweep: every type of the domain by every policy, by the chosen rules or all, and by `settled` rules.

    These are sections with options of their own, by label.
    """
    base = SETTINGS[setting]
    clients = subsection(base, "federation")["clients"]
    return {
        "base": dict(base),
        "axes": {
            "attack": {name: _attackers(kind, clients) for name, kind in list_types({"name": DOMAIN}).items()},
            "defense": {
                **learned_sections(policies),
                **{label: {"defense": rule} for label, rule in settled.items()},
                **{name: rules()[name] for name in chosen or rules()},
            },
            "seed": list(seeds),
        },
    }


def rules() -> dict[str, Section]:
    """Return the rules that need no training beforehand, as bundles of settings."""
    return {
        rule.name: {
            "defense": section(rule),
            "threat.assumed_malicious": min(SHARE, player(rule).limit(SAMPLED) / SAMPLED),
        }
        for rule in members("defenses")
        if not rule.needs_file
    }


def _attackers(kind: Section, clients: int) -> dict[str, Any]:
    """Return the attackers of a type as a bundle of settings, with numbers of clients in place of shares."""
    given = kind.get("attacks", [kind["attack"]] if "attack" in kind else [])
    return {"attacks": [{**_without(each, "share"), "malicious": round(each["share"] * clients)} for each in given]}


def _without(section: Section, key: str) -> dict[str, Any]:
    return {name: value for name, value in section.items() if name != key}


def score(runs: pd.DataFrame) -> dict[str, RowScore]:
    """Return accuracy minus backdoor accuracy of each defense, by type and seed by seed."""
    runs = runs.assign(score=runs["accuracy"] - runs["backdoor_accuracy"].fillna(0.0))
    found = {}
    for defense, own in runs.groupby(DEFENSE, observed=True):
        by_type = {str(name): summarize(list(some["score"])) for name, some in own.groupby(ATTACK, observed=True)}
        found[str(defense)] = RowScore(by_type, own.groupby(SEED)["score"].mean().to_dict())
    return found


def written(found: Mapping[str, RowScore], policies: Sequence[str]) -> str:
    """Return the table, from the best worst type on: a row for each defense."""
    fixed = [name for name in found if name not in policies]
    types = list(next(iter(found.values())).by_type)
    best = {kind: max(found[rule].by_type[kind].mean for rule in fixed) for kind in types}
    lines = [["defense", *types, "worst", "mean", "largest regret"], ["---"] + ["---:"] * (len(types) + 3)]
    for name, row in sorted(found.items(), key=lambda pair: -pair[1].worst):
        regret = max(best[kind] - row.by_type[kind].mean for kind in types)
        cells = [_cell(row.by_type[kind]) for kind in types]
        mean = summarize(list(row.means.values()))
        label = f"**{name}**" if name in policies else f"`{name}`"
        lines.append([label, *cells, f"{row.worst:.3f}", _cell(mean), f"{regret:+.3f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def compared(found: Mapping[str, RowScore], first: str, seconds: Sequence[str]) -> str:
    """Return the paired differences of one defense's mean over types to that of others."""
    lines = []
    for second in seconds:
        n, difference, low, high, *_ = compare(found[first].means, found[second].means)
        between = "" if low is None else f" [{low:+.3f}, {high:+.3f}]"
        lines.append(f"- {first} minus {second}: {difference:+.3f}{between}, n = {n}")
    return "\n".join(lines) + "\n"


def _cell(summary: Summary) -> str:
    deviation = "" if summary.std is None else f" ± {summary.std:.2f}"
    return f"{summary.mean:.3f}{deviation}"


def make_options(description: str | None, known: Collection[str]) -> argparse.ArgumentParser:
    """Return the options of a study of learned defenses beside these known fixed rules."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--policy", action="append", default=[], metavar="LABEL=FILE", help="a learned defense")
    options.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options.add_argument("--rules", nargs="+", default=[], choices=known, metavar="RULE", help="default: all")
    options.add_argument("--jobs", type=int, default=2, help="number of worker processes")
    return options


def name_policies(given: Sequence[str]) -> dict[str, Path]:
    """Return the policy files by their labels, of options such as `learned=d.safetensors`."""
    return {label: Path(path) for label, _, path in (each.partition("=") for each in given)}


def run_all(plan: Plan, folder: Path, *, jobs: int) -> bool:
    """Execute all missing runs, report those that failed, and say whether there are none."""
    status = run_missing(plan, folder, jobs=jobs)
    for failure in status.failures:
        sys.stderr.write(f"failed: {failure.labels}: {failure.error}\n")
    return not status.failures


def learned_sections(policies: Mapping[str, Path]) -> dict[str, Section]:
    """Return the bundle of settings of each learned defense."""
    return {label: {"defense": {"name": "learned", "policy": str(path.resolve())}} for label, path in policies.items()}


def main() -> None:
    options = make_options(__doc__, rules())
    options.add_argument("setting", choices=SETTINGS)
    options.add_argument(
        "--rule", action="append", default=[], metavar="LABEL=SECTION", help="as in a={name: graded_trust, power: 4.0}"
    )
    given = options.parse_args()
    policies = name_policies(given.policy)
    settled = {label: parse_value(label, text) for label, _, text in (each.partition("=") for each in given.rule)}
    plan = plan_sweep(document(given.setting, policies, seeds=given.seeds, chosen=given.rules, settled=settled))
    is_complete = run_all(plan, given.runs, jobs=given.jobs)
    found = score(read_frame(given.runs))
    sys.stdout.write(written(found, list(policies)))
    if policies:
        first, *others = policies
        sys.stdout.write(f"\n{compared(found, first, [*others, 'fltrust'])}")
    sys.exit(not is_complete)


if __name__ == "__main__":
    main()
