"""A reproduction beside what was published: which claims hold, and each number next to the printed one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

import pandas as pd

from sparring.experiments.analysis.claims import Above, Judgment, Verdict, judge_claim, together
from sparring.experiments.analysis.frames import Labels, by_seed
from sparring.experiments.analysis.statistics import SMALLEST_GAP, summary, written
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.report.html_page import Reproduction
from sparring.experiments.report.study import Study
from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.policy_trials import PolicyTrial, trials_of
from sparring.experiments.reproductions.preset import SCALES, Preset, Published, Scale
from sparring.experiments.sweeps import Cell, Plan
from sparring.experiments.sweeps.axes import SEED

SHOWN = ("defense", "attack")
"""The axes that have a column; there is a table for each combination of labels on the others."""
HEADER = (*SHOWN, "published", "measured", "holds?")
ANSWERS: Mapping[Verdict, str] = {"holds": "yes", "does not hold": "no"}
ABSENT = "-"


def reckoning(plan: Plan) -> str:
    """Say how many malicious updates the rules of a plan reckon with, and whether they allow no more."""
    shares = {cell.config.threat.assumed_malicious for cell in plan.cells}
    played = {
        sum(each.malicious for each in cell.config.attacks) / cell.config.federation.clients for cell in plan.cells
    }
    capped = ", the most that all of them allow" if max(shares) < max(played) else ""
    assumed, actual = _either(shares), _either(played - {0.0} or played)
    return f"Every rule reckons with {assumed} malicious updates{capped}; {actual} of the clients are malicious."


def judgments(preset: Preset, scale: Scale, *, runs: pd.DataFrame, gap: float = SMALLEST_GAP) -> tuple[Judgment, ...]:
    """Judge all claims of a preset, `gap` being the smallest difference that counts."""
    return tuple(judge_claim(claim, runs, scale=scale, gap=gap) for claim in preset.claims(scale))


def beside(
    preset: Preset,
    scale: Scale,
    *,
    cells: Iterable[Labels],
    runs: pd.DataFrame,
    gap: float = SMALLEST_GAP,
) -> Iterator[Table]:
    """Yield tables of *published | measured | holds?*: a row a cell, whether it was played or published alone.

    A cell's answer is that to all statements of which it is one side. Of several statements of which one must be true,
    none is answered by itself.
    """
    played = [_without_seed(cell) for cell in cells]
    findings = [finding for judgment in judgments(preset, scale, runs=runs, gap=gap) for finding in judgment.findings]
    for metric in preset.metrics:
        published = [each for each in preset.published(scale) if each.metric == metric]
        about = [
            (finding.verdict, finding.statement)
            for finding in findings
            if isinstance(finding.statement, Above) and finding.statement.metric == metric
        ]
        for panel, shown in _panels([*played, *(each.cell for each in published)]).items():
            rows = [
                (*_place(cell), _published(cell, published), _measured(cell, runs, metric=metric), _answer(cell, about))
                for cell in shown
            ]
            yield Table(", ".join([metric.replace("_", " "), *panel]), HEADER, tuple(rows))


def lessons(cells: Iterable[Cell]) -> Iterator[Table]:
    """Yield a table of what the learned attacks of cells were worth on the way: a row a cell, mean over seeds.

    A policy is tried in the world in which it was learned; `kept` is the one that is played in the end.
    """
    tried: dict[tuple[str, ...], list[tuple[PolicyTrial, ...]]] = {}
    for cell in cells:
        for trials in trials_of(cell.config):
            tried.setdefault(_said(_without_seed(cell.labels)), []).append(trials)
    if not tried:
        return
    first, *_ = tried.values()
    rows = [(", ".join(place), *_means(trials)) for place, trials in tried.items()]
    header = ("after simulated steps", *(f"{trial.steps}" for trial in first[0]), "kept")
    yield Table("rise of the simulated loss in an episode", header, tuple(rows))


def _either(shares: Iterable[float]) -> str:
    return " or ".join(f"{share:.0%}" for share in sorted(shares))


def _means(tried: Sequence[tuple[PolicyTrial, ...]]) -> Iterator[str]:
    """Yield what the newest policies gained, then what the last that is played did, in the mean over seeds."""
    for trials in zip(*tried, strict=True):
        yield f"{fmean(trial.gained for trial in trials):+.2f}"
    yield f"{fmean(trials[-1].best for trials in tried):+.2f}"


def _without_seed(cell: Labels) -> Labels:
    return {axis: label for axis, label in cell.items() if axis != SEED}


def _panels(cells: Sequence[Labels]) -> dict[tuple[str, ...], list[Labels]]:
    """Group cells, each once, by their labels on the axes that have no column; those of a rule stand together."""
    distinct = [dict(items) for items in dict.fromkeys(tuple(cell.items()) for cell in cells)]
    rules = list(dict.fromkeys(cell["defense"] for cell in distinct))
    panels: dict[tuple[str, ...], list[Labels]] = {}
    for cell in sorted(distinct, key=lambda cell: rules.index(cell["defense"])):
        apart = {axis: label for axis, label in cell.items() if axis not in SHOWN}
        panels.setdefault(_said(apart), []).append(cell)
    return panels


def _said(labels: Labels) -> tuple[str, ...]:
    """Return labels as they are, but for numbers, which say nothing without their axis."""
    return tuple(f"{axis} {label}" if label.isdigit() else label for axis, label in labels.items())


def _place(cell: Labels) -> tuple[str, ...]:
    return tuple(cell[axis] for axis in SHOWN)


def _published(cell: Labels, published: Sequence[Published]) -> str:
    return next((str(each) for each in published if each.cell == cell), ABSENT)


def _measured(cell: Labels, runs: pd.DataFrame, *, metric: str) -> str:
    values = by_seed(runs, cell, metric=metric)
    return written(summary(list(values.values())), interval=False) if values else ABSENT


def _answer(cell: Labels, about: Sequence[tuple[Verdict, Above]]) -> str:
    verdicts = [verdict for verdict, statement in about if cell in (statement.first, statement.second)]
    answer = together(verdicts)
    return ANSWERS.get(answer, answer) if verdicts else ABSENT


def judge_reproduction(study: Study) -> Reproduction | None:
    """Judge the claims of a study's preset; there is none where this version of Sparring does not know it."""
    named = study.preset or {}
    preset: Preset | None = PRESETS.get(named.get("id", ""))
    scale = next((scale for scale in SCALES if scale == named.get("scale")), None)
    if preset is None or scale is None:
        return None
    judged = judgments(preset, scale, runs=study.frame, gap=study.gap)
    return Reproduction(preset.title, preset.source, differences=preset.differences[scale], judgments=judged)
