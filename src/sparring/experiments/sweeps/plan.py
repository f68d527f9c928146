"""The plan of a sweep: one run for each combination of the values on its axes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from types import MappingProxyType

from sparring.errors import ConfigError
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.overrides import apply_overrides
from sparring.experiments.config.sections import Section, refuse_unknown, subsection
from sparring.experiments.config.yaml_reader import parse_value
from sparring.experiments.sweeps.axes import Axes, Bundle, join_labels, read_axes, refuse_alike
from sparring.experiments.sweeps.grid import Cell, Grid, by_digest
from sparring.experiments.sweeps.tuning import TRY, Context, Selection, read_selection

KEYS = ("base", "axes", "select")
LARGEST = 100_000
"""Runs."""
NOTHING: Mapping[Context, Bundle] = MappingProxyType({})
VALIDATION: Bundle = {"evaluation.on": "validation"}


@dataclass(frozen=True)
class Plan:
    """All cells of a sweep; cells with equal digests share one run."""

    axes: Mapping[str, tuple[str, ...]]
    cells: tuple[Cell, ...]
    """The known cells: a cell with tuned hyperparameters is known after these are chosen."""
    document: Section
    preset: Mapping[str, str] | None = None
    """The id and scale of the preset that the sweep reproduces, if any."""
    selection: Selection | None = None
    candidates: tuple[Cell, ...] = ()
    """The cells for tuning hyperparameters, evaluated on validation examples."""

    @cached_property
    def runs(self) -> Mapping[str, Cell]:
        """The first cell of each run by the run's digest; candidates come first."""
        return by_digest((*self.candidates, *self.cells))

    @property
    def open(self) -> int:
        """The number of cells whose hyperparameters are not chosen yet."""
        return prod(map(len, self.axes.values())) - len(self.cells)


def plan_sweep(
    document: Section,
    catalogues: Catalogues = CATALOGUES,
    *,
    preset: Mapping[str, str] | None = None,
    chosen: Mapping[Context, Bundle] = NOTHING,
) -> Plan:
    """Return the plan of a sweep file with the choices so far; an invalid configuration of any run is rejected."""
    refuse_unknown("the sweep", document, known=KEYS)
    axes = read_axes(subsection(document, "axes"))
    refuse_alike(axes, document)
    size = prod(map(len, axes.values()))
    if size > LARGEST:
        raise ConfigError(f"axes give {size} runs; use at most {LARGEST} in one sweep")
    grid, labels = Grid(subsection(document, "base"), axes, catalogues), {name: tuple(axes[name]) for name in axes}
    selection = read_selection(subsection(document, "select"), axes)
    if selection is None:
        return Plan(labels, tuple(map(grid.cell, grid)), document, preset)
    cells, candidates = _known_cells(grid, selection, chosen=chosen), _candidates(grid, selection)
    return Plan(labels, tuple(cells), document, preset, selection, tuple(candidates))


def override_sweep(document: Section, settings: Iterable[str]) -> Section:
    """Return a sweep file with settings applied to its base, or to an axis as in `axes.seed=[0, 1]`."""
    changed, axes = dict(document), read_axes(subsection(document, "axes"))
    for setting in settings:
        key, sign, text = setting.partition("=")
        if sign and key.startswith("axes."):
            value = parse_value(setting, text)
            changed["axes"] = {**subsection(changed, "axes"), key.removeprefix("axes."): value}
            continue
        _refuse_idle(setting, key, axes=axes)
        changed["base"] = apply_overrides(subsection(changed, "base"), [setting])
    return changed


def _refuse_idle(setting: str, key: str, *, axes: Axes) -> None:
    """Reject a setting that every value of an axis overrides."""
    for axis, bundles in axes.items():
        if all(any(_replaces(path, key) for path in bundle) for bundle in bundles.values()):
            raise ConfigError(f"{setting} has no effect, the axis {axis!r} sets it in every run; use axes.{axis}=[...]")


def _replaces(path: str, key: str) -> bool:
    return key in (path, path.removesuffix(".name")) or key.startswith(f"{path}.")


def _known_cells(grid: Grid, selection: Selection, *, chosen: Mapping[Context, Bundle]) -> Iterator[Cell]:
    """Yield the cells whose hyperparameters are given in the file or already chosen."""
    for labels in grid:
        context = selection.context(labels)
        if labels[selection.tune] not in selection.candidates:
            yield grid.cell(labels)
        elif context in chosen:
            yield grid.cell(labels, {TRY: chosen[context]})


def _candidates(grid: Grid, selection: Selection) -> Iterator[Cell]:
    for labels in filter(selection.tries, grid):
        for candidate, settings in selection.candidates[labels[selection.tune]].items():
            _refuse_measured(grid.cell(labels, {TRY: settings}))
            yield grid.cell({**labels, TRY: candidate}, {TRY: {**settings, **VALIDATION}})


def _refuse_measured(cell: Cell) -> None:
    """Reject a sweep that would tune on the same examples that it reports."""
    if cell.config.evaluation.on != "test":
        raise ConfigError("evaluation.on is 'validation'; leave it out, select sets it for the candidates only")
    if cell.config.data.validation == 0:
        raise ConfigError(
            f"data.validation is 0 for {join_labels(cell.labels)}; select needs validation examples, set it, for "
            "example to 0.1, in base or in each value of an axis that replaces the data"
        )
