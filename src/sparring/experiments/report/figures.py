"""Figures for a paper, one or two columns wide: curves and tables, as PDF and PNG files."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from sparring.experiments.analysis.plots import COLORS, STYLES
from sparring.experiments.jobs.atomic_files import translate_os_errors, write
from sparring.experiments.report.panels import split_study
from sparring.experiments.report.score_tables import ScoreCell, ScoreTable, compute_regrets, make_score_tables
from sparring.experiments.report.study import Study
from sparring.experiments.report.svg_curves import Plot, make_plots
from sparring.experiments.sweeps.axes import make_slug

COLUMN, PAGE = 3.35, 6.9
"""The widths in inches of one column and of a two-column page."""
DPI = 300
STYLE: dict[Any, Any] = {
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "pdf.fonttype": 42,
}
"""Font sizes of a caption, and font types that publishers accept."""
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffd0ad", "#f5f6f8", "#b5d8fb"])
"""Colors from the attacker's goal to the defender's goal."""
NAME = 20
"""The maximum characters per line of a name."""
BANDS = "Mean over seeds; shaded: from the lowest to the highest seed."
METADATA = {"pdf": {"CreationDate": None, "Producer": None, "Creator": None}, "png": {"Software": None}}


def write_figures(study: Study, folder: Path) -> list[Path]:
    """Write all figures of a study into a folder, and return their files."""
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context(STYLE):
        for name, figure in _draw_figures(study):
            for kind, metadata in METADATA.items():
                picture = BytesIO()
                figure.savefig(picture, format=kind, dpi=DPI, metadata=metadata)
                written.append(folder / f"{name}.{kind}")
                write(written[-1], picture.getvalue())
    return written


def _draw_figures(study: Study) -> Iterator[tuple[str, Figure]]:
    """Yield each figure with the base name of its files."""
    for number, (title, part) in enumerate(split_study(study), start=1):
        end = f"-{make_slug(title) or number}" if title else ""
        drawn = make_plots(part)
        if drawn:
            yield f"curves{end}", _draw_curves(drawn)
        for table in make_score_tables(part):
            if any(cell.summary is not None for cell in table.cells.values()):
                yield f"{make_slug(table.title)}{end}", _draw_table(table, interval=part.interval)


def _draw_curves(drawn: Sequence[Plot]) -> Figure:
    names = list(dict.fromkeys(name for plot in drawn for name in plot.bands))
    across = 1 if len(drawn) == 1 else 2
    down = ceil(len(drawn) / across)
    legend = ceil(len(names) / 2) * max(fill(name, 28).count("\n") + 1 for name in names)
    figure = Figure(figsize=(COLUMN, 1.45 * down + 0.14 * legend + 0.35), layout=ConstrainedLayoutEngine(wspace=0.04))
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axes, plot in zip(grid.flat, drawn, strict=False):
        _draw_plot(axes, plot, names=names)
    for axes in list(grid.flat)[len(drawn) :]:
        axes.set_axis_off()
    figure.supxlabel(drawn[0].unit, fontsize=STYLE["axes.labelsize"])
    figure.supylabel("accuracy", fontsize=STYLE["axes.labelsize"])
    found = {name: line for axes in grid.flat for line, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    labels = [fill(name, 28) for name in found]
    figure.legend(found.values(), labels, loc="outside upper center", ncols=2, frameon=False, title=BANDS)
    figure.legends[0].get_title().set_fontsize(STYLE["legend.fontsize"])
    return figure


def _draw_plot(axes: Axes, plot: Plot, *, names: Sequence[str]) -> None:
    for name, band in plot.bands.items():
        index = names.index(name)
        color, style = COLORS[index % len(COLORS)], STYLES[index % len(STYLES)]
        axes.fill_between(band.rounds, band.low, band.high, color=color, alpha=0.15, linewidth=0)
        axes.plot(band.rounds, band.mean, label=name, color=color, linestyle=style, linewidth=1.1, clip_on=False)
    axes.set_title(fill(plot.title, 2 * NAME))
    axes.set(ylim=(0, 1))
    axes.margins(x=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_table(table: ScoreTable, *, interval: str) -> Figure:
    """Draw a table of cells, shaded as on the HTML page."""
    width = COLUMN if len(table.columns) <= 3 else PAGE
    rows = [fill(row, NAME) for row in table.rows]
    columns = [fill(column, NAME * 3 // 4) for column in table.columns]
    head = 0.13 * max(column.count("\n") + 1 for column in columns)
    height = sum(max(0.36, 0.13 * (row.count("\n") + 1)) for row in rows) + head + 0.62
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    goodness = [[_shade(table.cells[row, column]) for column in table.columns] for row in table.rows]
    axes.pcolormesh(goodness, cmap=SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks([index + 0.5 for index in range(len(columns))], columns)
    axes.set_yticks([index + 0.5 for index in range(len(rows))], rows)
    axes.spines[:].set_visible(False)
    best = compute_regrets(table) if table.is_grid and len(table.rows) > 1 else {}
    for down, row in enumerate(table.rows):
        for across, column in enumerate(table.columns):
            is_best = best.get((row, column)) == 0
            _write_cell(axes, table.cells[row, column], place=(across, down), is_best=is_best)
    figure.suptitle(fill(table.title, 60), fontweight="bold", fontsize=STYLE["axes.titlesize"])
    figure.supxlabel(fill(_make_legend(table, interval), 62 if width == COLUMN else 130), fontsize=6.5)
    return figure


def _make_legend(table: ScoreTable, interval: str) -> str:
    counts = sorted({cell.summary.n for cell in table.cells.values() if cell.summary is not None})
    seeds = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    best = "; bold: best of a column" if table.is_grid and len(table.rows) > 1 else ""
    return f"Mean over seeds ({seeds}), below it its {interval}{best}."


def _shade(cell: ScoreCell) -> float:
    """Return the metric, inverted if the defender wants little of it; 0.5 if it is unknown."""
    if cell.summary is None:
        return 0.5
    return cell.summary.mean if cell.metric.is_wanted else 1 - cell.summary.mean


def _write_cell(axes: Axes, cell: ScoreCell, *, place: tuple[float, float], is_best: bool) -> None:
    across, down = place
    if cell.summary is None:
        axes.text(across + 0.5, down + 0.5, cell.absence, ha="center", va="center", fontsize=6.5, style="italic")
        return
    low, high = cell.summary.low, cell.summary.high
    interval = "no interval" if low is None else f"{low:.3f}–{high:.3f}"
    weight = "bold" if is_best else "normal"
    axes.text(across + 0.5, down + 0.34, f"{cell.summary.mean:.3f}", ha="center", va="center", fontweight=weight)
    count = f", n = {cell.summary.n}" if cell.summary.n < cell.asked else ""
    axes.text(across + 0.5, down + 0.72, interval + count, ha="center", va="center", fontsize=6.5)
