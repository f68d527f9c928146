"""Every combination of the values of a sweep's axes, and the configuration of each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from types import MappingProxyType
from typing import Any

from sparring.errors import ConfigError
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.config.parse import digest, parse_config
from sparring.experiments.config.sections import Section
from sparring.experiments.runs.training import run_kind
from sparring.experiments.sweeps.axes import Axes, Bundle, apply_bundle, fill_labels

Labels = Mapping[str, str]
"""The coordinates of a cell: a label on each axis."""
NOTHING: Mapping[str, Bundle] = MappingProxyType({})


@dataclass(frozen=True)
class Cell:
    """A cell in the table of a sweep: its labels and the configuration of its run."""

    labels: Labels
    config: AnyConfig

    @cached_property
    def digest(self) -> str:
        return digest(self.config)


def by_digest(cells: Iterable[Cell]) -> dict[str, Cell]:
    """Return the first cell of each run, by the run's digest."""
    runs: dict[str, Cell] = {}
    for cell in cells:
        runs.setdefault(cell.digest, cell)
    return runs


@dataclass(frozen=True)
class Grid:
    """A base configuration, and the axes along which it varies."""

    base: Section
    axes: Axes
    catalogues: Catalogues

    def __iter__(self) -> Iterator[Labels]:
        for combination in product(*self.axes.values()):
            yield dict(zip(self.axes, combination, strict=True))

    def cell(self, labels: Labels, more: Mapping[str, Bundle] = NOTHING) -> Cell:
        """Return the cell with these labels and `more` named settings; an invalid configuration is rejected."""
        bundles = {axis: self.axes[axis][label] for axis, label in labels.items() if axis in self.axes}
        bundles |= more
        try:
            return Cell(labels, self._configured(bundles, labels))
        except ConfigError as error:
            blamed = (
                f"{name} {labels[name]!r}" if name in labels else name for name in self._culprits(bundles, labels)
            )
            raise ConfigError(": ".join([*blamed, str(error)])) from None

    def _configured(self, bundles: Mapping[str, Bundle], labels: Labels) -> AnyConfig:
        document: dict[str, Any] = dict(self.base)
        for bundle in bundles.values():
            document = apply_bundle(document, bundle)
        config = parse_config(fill_labels(document, labels), self.catalogues)
        run_kind(config).validate(config, self.catalogues)
        return config

    def _culprits(self, bundles: Mapping[str, Bundle], labels: Labels) -> list[str]:
        """Return the axes that cause the error; none if the base causes it."""
        complaint = self._complaint(bundles, labels)
        others = {name: {other: bundles[other] for other in bundles if other != name} for name in bundles}
        return [name for name, rest in others.items() if self._complaint(rest, labels) != complaint]

    def _complaint(self, bundles: Mapping[str, Bundle], labels: Labels) -> str | None:
        try:
            self._configured(bundles, labels)
        except ConfigError as error:
            return str(error)
        return None
