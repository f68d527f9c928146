"""Objectives: the loss of each example as a function of the network's outputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch
from sparring.validation import at_least


@dataclass(frozen=True)
class CrossEntropy:
    """Cross-entropy; the labels are whole numbers `[examples]`, or probabilities `[examples, classes]`."""

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        labels = batch.labels.to(outputs.dtype) if batch.labels.is_floating_point() else batch.labels
        return cross_entropy(outputs, labels, reduction="none")


@dataclass(frozen=True)
class SquaredError:
    """Squared distance between an example's outputs and its target, without a factor of one half."""

    targets: Callable[[Tensor], Tensor] | None = None
    """The targets as a function of the inputs, for targets that move with a perturbation; None for the labels."""

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        targets = batch.labels if self.targets is None else self.targets(batch.inputs)
        return (outputs - targets.reshape(outputs.shape)).square().flatten(1).sum(dim=1)


@dataclass(frozen=True)
class Hinge:
    """How far the label's logit is from exceeding every other logit by `margin`; 0 once it does."""

    margin: float = 1.0
    """The lead that is asked for, at least 0."""

    def __post_init__(self) -> None:
        at_least(0, "hinge", margin=self.margin)

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        labels = batch.labels[:, None]
        others = outputs.scatter(1, labels, -torch.inf).amax(dim=1)
        return (self.margin + others - outputs.gather(1, labels)[:, 0]).clamp(min=0)


@dataclass(frozen=True)
class Conversion:
    """What an attacker raises who wants examples of other classes to be predicted as `target` (section 6.4).

    It is the negative cross-entropy to `target`; 0 for the examples of `target` itself.
    """

    target: int
    """The class that is to be predicted."""

    def __post_init__(self) -> None:
        at_least(0, "conversion", target=self.target)

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        wanted = torch.full_like(batch.labels, self.target)
        return -cross_entropy(outputs, wanted, reduction="none") * (batch.labels != self.target)


@dataclass(frozen=True)
class Evasion:
    """What an attacker raises who wants examples of `target` to be predicted as any other class (section 6.4).

    It is the cross-entropy of the examples of `target`; 0 for all others.
    """

    target: int
    """The class that is no longer to be predicted."""

    def __post_init__(self) -> None:
        at_least(0, "evasion", target=self.target)

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(outputs, batch.labels, reduction="none") * (batch.labels == self.target)


OBJECTIVES: Mapping[str, type[CrossEntropy] | type[Hinge]] = {"cross_entropy": CrossEntropy, "hinge": Hinge}
"""The objectives that a learner can have, by name."""
