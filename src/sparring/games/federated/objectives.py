"""Objectives: the value of a model to a player; F, F' and F'' are as in the meta-Stackelberg game (MSG, section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.training import evaluate, mean_loss
from sparring.validation import check_positive, check_shares

CEILING = 1e6
"""Upper bound of losses, so that every reward is finite."""


class SeatObjective(Protocol):
    """The value of a model to a player."""

    def value(self, model: Model) -> float:
        """Return a finite number."""


def bounded_loss(model: Model, on: Batch, *, ceiling: float = CEILING) -> float:
    """Return the mean loss; a loss above the ceiling, or NaN, is replaced by the ceiling."""
    loss = mean_loss(model.network, model.parameters, on=on)
    return loss if loss < ceiling else ceiling


@dataclass(frozen=True, eq=False)
class UntargetedObjective:
    """F(w), the loss on clean examples, maximized by an untargeted attacker."""

    examples: Batch
    ceiling: float = CEILING

    def value(self, model: Model) -> float:
        return bounded_loss(model, self.examples, ceiling=self.ceiling)


@dataclass(frozen=True, eq=False)
class ErrorObjective:
    """The share of clean examples that are classified wrongly, maximized by an untargeted attacker.

    It is bounded, and tells models apart whose loss is far above that of guessing.
    """

    examples: Batch

    def value(self, model: Model) -> float:
        return 1 - evaluate(model.network, model.parameters, on=self.examples).accuracy


@dataclass(frozen=True, eq=False)
class DefenderObjective:
    """-F(w), maximized by a defender."""

    examples: Batch
    ceiling: float = CEILING

    def value(self, model: Model) -> float:
        return -bounded_loss(model, self.examples, ceiling=self.ceiling)


@dataclass(frozen=True, eq=False)
class RobustDefenderObjective:
    """-((1 - λ) F(w, D) + λ max F(w, D')), scaled to [0, 1], maximized by a defender who must also prevent backdoors.

    D are clean examples, and each D' has the triggered images of a backdoor with their *true* labels, so that the
    attacker's target need not be known; λ is `weight`. Every F is at most `ceiling`: at 0 both are, at 1 both are 0.
    Without a backdoor to prevent, F(w, D) alone counts.
    """

    triggered: Sequence[Batch]
    clean: Batch
    weight: float = 0.5
    ceiling: float = 3.0

    def __post_init__(self) -> None:
        check_shares("objective", weight=self.weight)
        check_positive("objective", ceiling=self.ceiling)

    def value(self, model: Model) -> float:
        kept = bounded_loss(model, self.clean, ceiling=self.ceiling)
        implanted = max((bounded_loss(model, on, ceiling=self.ceiling) for on in self.triggered), default=kept)
        return 1 - (self.weight * implanted + (1 - self.weight) * kept) / self.ceiling


@dataclass(frozen=True, eq=False)
class BackdoorObjective:
    """-(λ F(w, D') + (1 - λ) F(w, D)), maximized by an attacker with a backdoor.

    D' are triggered examples with the target label, D clean examples; λ is `weight`, .5 in MSG.
    """

    triggered: Batch
    clean: Batch
    weight: float = 0.5
    ceiling: float = CEILING

    def value(self, model: Model) -> float:
        implanted, kept = (bounded_loss(model, on, ceiling=self.ceiling) for on in (self.triggered, self.clean))
        return -(self.weight * implanted + (1 - self.weight) * kept)


@dataclass(frozen=True, eq=False)
class BackdoorAccuracyObjective:
    """λ A(w, D') + (1 - λ) A(w, D), maximized by an attacker with a backdoor.

    A is the accuracy on triggered examples with the target label, D', and on clean examples, D; λ is `weight`. It
    replaces the losses of `BackdoorObjective` by what a backdoor is judged by, and is between 0 and 1.
    """

    triggered: Batch
    clean: Batch
    weight: float = 0.5

    def value(self, model: Model) -> float:
        implanted, kept = (
            evaluate(model.network, model.parameters, on=examples).accuracy for examples in (self.triggered, self.clean)
        )
        return self.weight * implanted + (1 - self.weight) * kept


@dataclass(frozen=True, eq=False)
class MixedObjective:
    """-F'(w) = F(w, D) - F(w, D'), maximized by an attacker who implants a backdoor and ruins the clean accuracy."""

    triggered: Batch
    clean: Batch
    ceiling: float = CEILING

    def value(self, model: Model) -> float:
        ruined, implanted = (bounded_loss(model, on, ceiling=self.ceiling) for on in (self.clean, self.triggered))
        return ruined - implanted


@dataclass(frozen=True, eq=False)
class SurrogateBackdoorObjective:
    """-F''(w), with the class nearest to the triggered images in place of an unknown target."""

    triggered: Batch
    clean: Batch
    ceiling: float = CEILING

    def value(self, model: Model) -> float:
        logits = model(self.triggered.inputs)
        nearest = -torch.log_softmax(logits, dim=1).mean(dim=0).max().item()
        implanted = nearest if nearest < self.ceiling else self.ceiling
        return bounded_loss(model, self.clean, ceiling=self.ceiling) - implanted
