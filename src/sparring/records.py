"""The record of a round, of any kind of training."""

from collections.abc import Mapping
from math import isfinite
from typing import Protocol


class Record(Protocol):
    """What is known of a round; a frozen dataclass, whose fields are written to the records of a run."""

    @property
    def round(self) -> int:
        """The number of completed rounds; 0 is the initial model."""

    @property
    def loss(self) -> float | None:
        """The loss; None if it is not finite or the round was not evaluated."""

    @property
    def accuracy(self) -> float | None:
        """The accuracy; None if the round was not evaluated."""

    @property
    def class_accuracy(self) -> tuple[float | None, ...] | None:
        """The accuracy on each class."""

    @property
    def headline(self) -> Mapping[str, float]:
        """What is shown beside the accuracy while the training runs."""

    @property
    def details(self) -> Mapping[str, float]:
        """Further scalars of the round, by their names in a board."""


def round_number(value: float) -> float | None:
    """Round to six digits, and replace non-finite values by None, so that records are small and valid JSON."""
    return float(f"{value:.6g}") if isfinite(value) else None
