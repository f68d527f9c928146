"""How much a trigger's size counts: more while the trigger works, less while it does not (Wang et al., 2019)."""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.errors import ConfigError

LARGEST = 1e6
"""Where a penalty stops rising: against a model that always answers the same, no size is too small."""


@dataclass(frozen=True)
class Schedule:
    """When a penalty changes, and by how much; it is zero until the trigger works."""

    start: float = 1e-3
    """The first one above zero."""
    patience: int = 1
    """Trials in a row that succeed, or fail, before it changes."""
    rise: float = 2.0
    fall: float = 2.0**1.5

    def __post_init__(self) -> None:
        if not 0 < self.start <= LARGEST:
            raise ConfigError(f"schedule.start is {self.start}; it must be above 0 and at most {LARGEST:g}")
        if self.patience < 1:
            raise ConfigError(f"schedule.patience is {self.patience}; it must be at least 1")
        for name in ("rise", "fall"):
            if not 1 < getattr(self, name) < inf:
                raise ConfigError(f"schedule.{name} is {getattr(self, name)}; it must be above 1 and finite")


class Penalties(NamedTuple):
    """The penalty of each class, and what its latest trials came to."""

    weights: Tensor
    wins: Tensor
    """Trials in a row that succeeded, since the last change."""
    losses: Tensor
    has_risen: Tensor
    has_fallen: Tensor


def unpenalized(classes: int, device: torch.device | None = None) -> Penalties:
    """Return what the search starts from."""
    weights = torch.zeros(classes, device=device)
    none, never = torch.zeros_like(weights, dtype=torch.int64), torch.zeros_like(weights, dtype=torch.bool)
    return Penalties(weights, none, none, never, never)


def adjusted(penalties: Penalties, succeeded: Tensor, *, schedule: Schedule) -> Penalties:
    """Return the penalties after a trial, of which `succeeded` says a boolean for each class."""
    wins, losses = (penalties.wins + 1) * succeeded, (penalties.losses + 1) * ~succeeded
    rises = wins >= schedule.patience
    falls = (losses >= schedule.patience) & (penalties.weights > 0)
    risen = (penalties.weights * schedule.rise).clamp(schedule.start, LARGEST)
    weights = risen.where(rises, (penalties.weights / schedule.fall).where(falls, penalties.weights))
    return Penalties(weights, wins * ~rises, losses * ~falls, penalties.has_risen | rises, penalties.has_fallen | falls)
