"""Draw accuracy over rounds of a sweep, one panel per rule: `python -m studies.curves FOLDER PICTURE`."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from sparring.experiments.analysis.plots import Curve, draw_accuracy
from sparring.experiments.report import read_study
from sparring.experiments.report.study import Study
from sparring.experiments.report.svg_curves import make_band
from sparring.experiments.sweeps.axes import ATTACK

Panel = dict[str, Curve]
"""Curves by attack."""


def make_panels(study: Study, *, rules: list[str], attacks: list[str]) -> dict[str, Panel]:
    """Return the mean over seeds under each attack, with one panel per combination of the other axes; empty: all."""
    wanted = [labels for labels in study.combinations(ATTACK) if not rules or labels.get("defense") in rules]
    drawn = (
        (", ".join(labels.values()), dict(_curves(study.where(labels), attacks or study.axes[ATTACK])))
        for labels in wanted
    )
    return {title: panel for title, panel in drawn if panel}


def _curves(study: Study, attacks: Iterable[str]) -> Iterator[tuple[str, Curve]]:
    for attack in attacks:
        runs = study.where({ATTACK: attack}).frame["run"]
        if len(runs):
            together = make_band(study.curves[run] for run in runs)
            yield attack, list(zip(together.rounds, together.mean, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of a sweep")
    parser.add_argument("picture", type=Path, help="PNG file to write")
    parser.add_argument("--rule", action="append", default=[], help="rule to draw; can be repeated; default: all rules")
    parser.add_argument("--attack", action="append", default=[], help="attack to draw; default: all attacks")
    asked = parser.parse_args()
    drawn = make_panels(read_study(asked.folder), rules=asked.rule, attacks=asked.attack)
    if not drawn:
        parser.error(f"{asked.folder} has no complete run of {' or '.join(asked.rule) or 'any rule'}")
    draw_accuracy(drawn, asked.picture)


if __name__ == "__main__":
    main()
