"""The parts of a study that are shown separately, such as attacks and defenses on one data set."""

from collections.abc import Iterator
from typing import NamedTuple

from sparring.experiments.report.commands import command_to_repeat
from sparring.experiments.report.paired_tables import PairedTable, make_paired_tables
from sparring.experiments.report.score_tables import ScoreTable, further_tables, make_score_tables
from sparring.experiments.report.study import Study, run_of
from sparring.experiments.report.svg_curves import Picture, line_style, picture, plots
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, called_together


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


def parts(study: Study) -> Iterator[tuple[str, Study]]:
    """Yield the title and the part for each combination of the axes other than attack and defense; one part if no grid."""
    for labels in study.combinations(ATTACK, DEFENSE) if study.is_grid else ({},):
        yield called_together(labels), study.where(labels)


def panels(study: Study) -> tuple[Panel, ...]:
    """Return the content of all parts of a study."""
    return tuple(_panel(title, part) for title, part in parts(study))


def _panel(title: str, part: Study) -> Panel:
    drawn = plots(part)
    names = list(dict.fromkeys(name for plot in drawn for name in plot.bands))
    return Panel(
        title=title,
        tables=make_score_tables(part),
        further=further_tables(part),
        contrasts=make_paired_tables(part),
        legend=tuple((name, line_style(index)) for index, name in enumerate(names)),
        pictures=tuple(picture(plot, names) for plot in drawn),
        commands=tuple(_commands(part)),
    )


def _commands(study: Study) -> Iterator[tuple[str, str]]:
    for cell in study.cells:
        about = study.manifests.get(run_of(cell))
        if about is not None:
            yield called_together(cell.labels) or study.name, command_to_repeat(about)
