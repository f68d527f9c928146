"""CutMix (Yun et al., 2019): a rectangle of each image comes from another image, and so does a share of its label."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.arrays import Batch
from sparring.contracts import Memory, MinibatchView, Purified
from sparring.defenses.purification.validation_examples import draw_validation
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.training.evaluation import count_classes
from sparring.validation import at_least, positive


def draw_box(height: int, width: int, *, share: float, rng: Generator) -> tuple[slice, slice]:
    """Return the rows and columns of a rectangle of about a `share` of the area, cut off at the image's edge."""
    center = rng.integers(height), rng.integers(width)
    sides = (int(side * share**0.5) for side in (height, width))
    spans = zip(center, sides, (height, width), strict=True)
    rows, columns = (
        slice(max(0, int(middle) - side // 2), min(limit, int(middle) + side // 2)) for middle, side, limit in spans
    )
    return rows, columns


def mix(batch: Batch, *, partners: Tensor, box: tuple[slice, slice]) -> Batch:
    """Paste the box of each example's partner; soft labels are weighted by area."""
    inputs = batch.inputs.clone()
    inputs[..., box[0], box[1]] = batch.inputs[partners][..., box[0], box[1]]
    mask = inputs.new_zeros(inputs.shape[-2:])
    mask[box] = 1
    return Batch(inputs, batch.labels.lerp(batch.labels[partners], mask.mean()))


@dataclass(frozen=True)
class CutMix:
    r"""Paste a random rectangle of other images into the images of a minibatch, and mix the labels by area.

    $$x'' = M \odot x' + (1 - M) \odot x'_\pi, \quad y'' = \lambda y + (1 - \lambda) y_\pi$$

    λ is the share of the area that M keeps; it is drawn from Beta(α, α) before the rectangle is cut off at the edge. As
    in the authors' code, one rectangle and one permutation π serve a whole minibatch, and with probability
    1 - `probability` the minibatch stays as it is. Labels are soft in any case.
    """

    alpha: float = 1.0
    """α of the Beta distribution of λ; 1 is published."""
    probability: float = 0.5
    """How often a minibatch is mixed; 0.5 is published for CIFAR."""
    validation: int = 0
    """Validation examples that are added to each minibatch and mixed with it; their number divided by that of a pass's
    minibatches gives one pass over them for each over the training examples."""
    paper: ClassVar[str] = (
        "Yun et al., 2019, CutMix: regularization strategy to train strong classifiers with localizable features, ICCV"
    )
    cost: ClassVar[str] = "O(b p)"
    assumption: ClassVar[str] = "the perturbation depends on a whole image"

    def __post_init__(self) -> None:
        positive("cut_mix", alpha=self.alpha)
        at_least(0, "cut_mix", validation=self.validation)
        if not 0 <= self.probability <= 1:
            raise ConfigError(f"cut_mix: probability={self.probability}; use a probability from 0 to 1")

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        if view.batch.inputs.ndim != 4:
            raise ConfigError(f"cut_mix: inputs of shape {list(view.batch.inputs.shape[1:])}; use images")
        batch = self._soft(view)
        if view.rng.random() >= self.probability:
            return Purified(batch), memory
        height, width = batch.inputs.shape[2:]
        partners = torch.from_numpy(view.rng.permutation(len(batch.labels))).to(batch.labels.device)
        box = draw_box(height, width, share=1 - view.rng.beta(self.alpha, self.alpha), rng=view.rng)
        return Purified(mix(batch, partners=partners, box=box)), memory

    def _soft(self, view: MinibatchView) -> Batch:
        """Return the examples to train on, with soft labels."""
        classes = count_classes(view.network, view.parameters, inputs=view.batch.inputs)
        parts = [view.batch]
        if self.validation:
            parts.append(draw_validation("cut_mix", view, self.validation))
        soft = [
            labels if labels.is_floating_point() else one_hot(labels, classes).to(inputs) for inputs, labels in parts
        ]
        return Batch(torch.cat([inputs for inputs, _ in parts]), torch.cat(soft))
