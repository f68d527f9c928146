"""Plots of runs."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sparring.experiments.jobs.atomic_files import write

Curve = Sequence[tuple[int, float]]
"""Pairs of a round and the accuracy after it."""

COLORS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""The color-blind-safe palette of Okabe and Ito."""
STYLES = ("-", "--", "-.", (0, (1, 1.2)))
HEIGHT, WIDTH = 3.0, 3.2
"""The size of a panel in inches."""
DPI = 160


def draw_accuracy(panels: Mapping[str, Mapping[str, Curve]], path: Path) -> None:
    """Draw accuracy over rounds, one panel per title with a common legend, into a PNG file."""
    figure = Figure(figsize=(WIDTH * len(panels), HEIGHT), layout=ConstrainedLayoutEngine(wspace=0.06))
    row = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, curves) in zip(row, panels.items(), strict=True):
        _draw_panel(axes, title, curves=curves)
    row[0].set_ylabel("test accuracy")
    lines, names = row[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=len(names), frameon=False)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    write(path, picture.getvalue())


def _draw_panel(axes: Axes, title: str, *, curves: Mapping[str, Curve]) -> None:
    for index, (name, curve) in enumerate(curves.items()):
        rounds, accuracies = zip(*curve, strict=True)
        style, color = STYLES[index % len(STYLES)], COLORS[index % len(COLORS)]
        axes.plot(rounds, accuracies, label=name, color=color, linestyle=style, linewidth=1.8, clip_on=False)
    axes.set_title(title, fontsize="medium", fontweight="bold")
    axes.set(xlabel="round", ylim=(0, 1))
    axes.margins(x=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
