"""The self-contained HTML page of a study: without scripts, external fonts or external pictures."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.analysis.evidence import describe_finding
from sparring.experiments.report.paired_tables import name_intervals
from sparring.experiments.report.panels import make_panels
from sparring.experiments.report.score_tables import compute_regrets, find_worst_case
from sparring.experiments.report.study import Study
from sparring.experiments.report.svg_curves import COLORS, FRAME
from sparring.experiments.report.threat_model import describe_choices, describe_players, describe_threat_model
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED, join_labels
from sparring.experiments.sweeps.sweep_folder import Failure

UNITS = {"data": "data set", ATTACK: "attack", DEFENSE: "defense", SEED: "seed"}
"""The words for labels on the standard axes."""
SIGNS = {"holds": "✓", "does not hold": "✗", "undecided": "?", "not judged": "–"}
"""The symbols of verdicts."""
LONGEST_TRACEBACK = 2000
"""The maximum length of a traceback; its end is kept, which states the error."""


class Reproduction(NamedTuple):
    """The publication that a study reproduces, and the judgments of its claims."""

    title: str
    source: str
    differences: Sequence[str]
    judgments: Sequence[Judgment]


def render_page(study: Study, published: Reproduction | None = None) -> str:
    """Return the page as HTML, with the claims if the study is a reproduction."""
    return (
        load_templates()
        .get_template("page.html")
        .render(
            study=study,
            title=published.title if published else make_title(study),
            reproduced=published,
            panels=make_panels(study),
            seeds=sorted(study.frame[SEED].unique()),
            threat=describe_threat_model(study),
            choices=describe_choices(study),
            players={axis: describe_players(study, axis) for axis in (ATTACK, DEFENSE)},
            missing=[join_labels(cell.labels) or study.name for cell in study.missing],
            failures=_group_failures(study),
            versions=_count_versions(study),
            document=None if study.document is None else json.dumps(study.document, indent=2),
        )
    )


def make_title(study: Study) -> str:
    """Return a short title of a study."""
    if not study.is_grid:
        return study.name
    return " against ".join(count_labels(axis, study.axes[axis]) for axis in (DEFENSE, ATTACK))


def count_labels(axis: str, labels: Sequence[str]) -> str:
    """Format the number of labels on an axis."""
    ending = "" if len(labels) == 1 else "s"
    return f"{len(labels)} {UNITS[axis]}{ending}" if axis in UNITS else f"{len(labels)} value{ending} of {axis}"


@cache
def load_templates() -> Environment:
    """Return the templates of pages, with their common functions and filters."""
    environment = Environment(
        loader=PackageLoader("sparring.experiments.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "frame": FRAME,
        "colors": COLORS,
        "compute_regrets": compute_regrets,
        "find_worst_case": find_worst_case,
        "join_labels": join_labels,
        "describe_finding": describe_finding,
        "name_intervals": name_intervals,
        "count_labels": count_labels,
        "signs": SIGNS,
    }
    environment.filters |= {"end": lambda text: text[-LONGEST_TRACEBACK:]}
    return environment


def _group_failures(study: Study) -> dict[str, list[Failure]]:
    """Return the failures grouped by error."""
    found: dict[str, list[Failure]] = {}
    for failure in study.failures:
        found.setdefault(failure.error, []).append(failure)
    return found


def _count_versions(study: Study) -> list[tuple[str, int]]:
    """Return the software versions of the runs, and the number of runs of each."""
    counts = Counter(
        ", ".join(f"{name} {version}" for name, version in {**about.versions, **about.plugins}.items())
        for about in study.manifests.values()
    )
    return counts.most_common()
