"""The parts of a study that are shown separately, such as attacks and defenses on one data set."""

from collections.abc import Iterator
from typing import NamedTuple

from sparring.experiments.report.commands import command_to_repeat
from sparring.experiments.report.paired_tables import PairedTable, make_paired_tables
from sparring.experiments.report.score_tables import ScoreTable, make_further_tables, make_score_tables
from sparring.experiments.report.study import Study, run_of
from sparring.experiments.report.svg_curves import Picture, draw_picture, line_classes, make_plots
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, join_labels


class Panel(NamedTuple):
    """The content of one part of a study."""

    title: str
    tables: tuple[ScoreTable, ...]
    further: tuple[ScoreTable, ...]
    """Tables of further backdoor metrics."""
    contrasts: tuple[PairedTable, ...]
    legend: tuple[tuple[str, str], ...]
    """The names of the lines, and their CSS classes."""
    pictures: tuple[Picture, ...]
    commands: tuple[tuple[str, str], ...]
    """The name of each cell and seed, and the command that repeats it."""


def split_study(study: Study) -> Iterator[tuple[str, Study]]:
    """Yield title and part for each combination of the axes other than attack and defense; a single part if no grid."""
    for labels in study.combinations(ATTACK, DEFENSE) if study.is_grid else ({},):
        yield join_labels(labels), study.where(labels)


def make_panels(study: Study) -> tuple[Panel, ...]:
    """Return the content of all parts of a study."""
    return tuple(_make_panel(title, part) for title, part in split_study(study))


def _make_panel(title: str, part: Study) -> Panel:
    drawn = make_plots(part)
    names = list(dict.fromkeys(name for plot in drawn for name in plot.bands))
    return Panel(
        title=title,
        tables=make_score_tables(part),
        further=make_further_tables(part),
        contrasts=make_paired_tables(part),
        legend=tuple((name, line_classes(index)) for index, name in enumerate(names)),
        pictures=tuple(draw_picture(plot, names) for plot in drawn),
        commands=tuple(_list_commands(part)),
    )


def _list_commands(study: Study) -> Iterator[tuple[str, str]]:
    for cell in study.cells:
        about = study.manifests.get(run_of(cell))
        if about is not None:
            yield join_labels(cell.labels) or study.name, command_to_repeat(about)
