"""Compare a reproduction with the publication: the judgments of claims, and published next to measured values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

import pandas as pd

from sparring.experiments.analysis.claims import Above, Judgment, Verdict, combine_verdicts, judge_claim
from sparring.experiments.analysis.frames import Labels, by_seed
from sparring.experiments.analysis.statistics import SMALLEST_GAP, format_summary, summarize
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.config.schema import Config
from sparring.experiments.report.html_page import Reproduction
from sparring.experiments.report.study import Study
from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.policy_trials import trials_of
from sparring.experiments.reproductions.preset import SCALES, Preset, Published, Scale
from sparring.experiments.sweeps import Cell, Plan
from sparring.experiments.sweeps.axes import SEED
from sparring.learning.online.schedule import PolicyTrial

SHOWN = ("defense", "attack")
"""The axes with a column; there is one table for each combination of labels on the other axes."""
HEADER = (*SHOWN, "published", "measured", "holds?")
ANSWERS: Mapping[Verdict, str] = {"holds": "yes", "does not hold": "no"}
ABSENT = "-"


def describe_assumption(plan: Plan) -> str:
    """Describe the share of malicious updates that the rules of a plan assume, and whether it is their limit.

    It is empty for a plan without a federation.
    """
    configs = [cell.config for cell in plan.cells if isinstance(cell.config, Config)]
    if not configs:
        return ""
    shares = {config.threat.assumed_malicious for config in configs}
    actual = {sum(each.malicious for each in config.attacks) / config.federation.clients for config in configs}
    capped = ", the largest share that all of them allow" if max(shares) < max(actual) else ""
    assumed, malicious = _format_shares(shares), _format_shares(actual - {0.0} or actual)
    return f"Every rule assumes {assumed} malicious updates{capped}; {malicious} of the clients are malicious."


def judge_preset(
    preset: Preset, scale: Scale, *, runs: pd.DataFrame, gap: float = SMALLEST_GAP
) -> tuple[Judgment, ...]:
    """Judge all claims of a preset; `gap` is the smallest difference that counts."""
    return tuple(judge_claim(claim, runs, scale=scale, gap=gap) for claim in preset.claims(scale))


def make_comparison_tables(
    preset: Preset,
    scale: Scale,
    *,
    cells: Iterable[Labels],
    runs: pd.DataFrame,
    gap: float = SMALLEST_GAP,
) -> Iterator[Table]:
    """Yield tables of *published | measured | holds?*, one row per cell that was run or published.

    The answer of a cell combines all statements with the cell as one side. The alternatives of `AnyOf` do not count.
    """
    played = [_without_seed(cell) for cell in cells]
    findings = [
        finding for judgment in judge_preset(preset, scale, runs=runs, gap=gap) for finding in judgment.findings
    ]
    for metric in preset.metrics:
        published = [each for each in preset.published(scale) if each.metric == metric]
        about = [
            (finding.verdict, finding.statement)
            for finding in findings
            if isinstance(finding.statement, Above) and finding.statement.metric == metric
        ]
        for panel, shown in _group_cells([*played, *(each.cell for each in published)]).items():
            rows = [
                (
                    *_visible_labels(cell),
                    _format_published(cell, published),
                    _format_measured(cell, runs, metric=metric),
                    _find_answer(cell, about),
                )
                for cell in shown
            ]
            yield Table(", ".join([metric.replace("_", " "), *panel]), HEADER, tuple(rows))


def make_trial_tables(cells: Iterable[Cell]) -> Iterator[Table]:
    """Yield a table of the evaluations of policies during training, one row per cell, mean over seeds.

    A policy is evaluated in its training environment; `kept` is the policy that is used in the end.
    """
    tried: dict[tuple[str, ...], list[tuple[PolicyTrial, ...]]] = {}
    for cell in cells:
        for trials in trials_of(cell.config):
            tried.setdefault(_format_labels(_without_seed(cell.labels)), []).append(trials)
    if not tried:
        return
    first, *_ = tried.values()
    rows = [(", ".join(labels), *_format_means(trials)) for labels, trials in tried.items()]
    counts = {tuple(trial.steps for trial in trials) for each in tried.values() for trials in each}
    names = [f"{steps}" for steps in counts.pop()] if len(counts) == 1 else [f"{n + 1}." for n in range(len(first[0]))]
    header = ("after simulated steps" if names[0].isdigit() else "policy", *names, "kept")
    yield Table("return in an episode of the simulation", header, tuple(rows))


def _format_shares(shares: Iterable[float]) -> str:
    return " or ".join(f"{share:.0%}" for share in sorted(shares))


def _format_means(tried: Sequence[tuple[PolicyTrial, ...]]) -> Iterator[str]:
    """Yield the mean gains over seeds of the latest policies, then of the policy that is used in the end."""
    for trials in zip(*tried, strict=True):
        yield f"{fmean(trial.gained for trial in trials):+.2f}"
    yield f"{fmean(trials[-1].best for trials in tried):+.2f}"


def _without_seed(cell: Labels) -> Labels:
    return {axis: label for axis, label in cell.items() if axis != SEED}


def _group_cells(cells: Sequence[Labels]) -> dict[tuple[str, ...], list[Labels]]:
    """Group distinct cells by their labels on the axes without a column, sorted by rule."""
    distinct = [dict(items) for items in dict.fromkeys(tuple(cell.items()) for cell in cells)]
    rules = list(dict.fromkeys(cell["defense"] for cell in distinct))
    panels: dict[tuple[str, ...], list[Labels]] = {}
    for cell in sorted(distinct, key=lambda cell: rules.index(cell["defense"])):
        apart = {axis: label for axis, label in cell.items() if axis not in SHOWN}
        panels.setdefault(_format_labels(apart), []).append(cell)
    return panels


def _format_labels(labels: Labels) -> tuple[str, ...]:
    """Return the labels; the name of the axis precedes a number."""
    return tuple(f"{axis} {label}" if label.isdigit() else label for axis, label in labels.items())


def _visible_labels(cell: Labels) -> tuple[str, ...]:
    return tuple(cell[axis] for axis in SHOWN)


def _format_published(cell: Labels, published: Sequence[Published]) -> str:
    return next((str(each) for each in published if each.cell == cell), ABSENT)


def _format_measured(cell: Labels, runs: pd.DataFrame, *, metric: str) -> str:
    values = by_seed(runs, cell, metric=metric)
    return format_summary(summarize(list(values.values())), interval=False) if values else ABSENT


def _find_answer(cell: Labels, about: Sequence[tuple[Verdict, Above]]) -> str:
    verdicts = [verdict for verdict, statement in about if cell in (statement.first, statement.second)]
    answer = combine_verdicts(verdicts)
    return ANSWERS.get(answer, answer) if verdicts else ABSENT


def judge_reproduction(study: Study) -> Reproduction | None:
    """Judge the claims of a study's preset; None without a preset, or if this version of Sparring lacks it."""
    named = study.preset or {}
    preset: Preset | None = PRESETS.get(named.get("id", ""))
    scale = next((scale for scale in SCALES if scale == named.get("scale")), None)
    if preset is None or scale is None:
        return None
    judged = judge_preset(preset, scale, runs=study.frame, gap=study.gap)
    return Reproduction(preset.title, preset.source, differences=preset.differences[scale], judgments=judged)
