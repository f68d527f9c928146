"""EvoShift (Chaudhury et al., 2021): a few pixels for each class, found by evolution while the model trains."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.arrays import Batch
from sparring.contracts import Memory, MinibatchView
from sparring.errors import ConfigError
from sparring.models.autoencoder import check_image_shape
from sparring.random import Generator
from sparring.training.bounds import Norm, check_norm, clip_to_pixels, unit_rows
from sparring.training.evaluation import count_classes
from sparring.validation import at_least, positive

Patterns = Tensor
"""`[population, classes, pixels, 2 + channels]`: row and column as fractions of the image, and a change per channel."""


def draw_patterns(population: int, classes: int, *, pixels: int, channels: int, rng: Generator) -> Patterns:
    """Draw random places and random changes from -1 to 1."""
    places = rng.uniform(0, 1, (population, classes, pixels, 2))
    changes = rng.uniform(-1, 1, (population, classes, pixels, channels))
    return torch.from_numpy(np.concatenate([places, changes], axis=3).astype(np.float32))


def cross(patterns: Patterns, *, factor: float, rng: Generator) -> Patterns:
    """Return a child for each pattern: one member of its class plus `factor` times the difference of two others.

    As in differential evolution; places leave the image on one side and return on the other, changes are clipped.
    """
    population = len(patterns)
    chosen = torch.from_numpy(np.stack([rng.permutation(population)[:3] for _ in range(population)], axis=1))
    origin, first, second = patterns[chosen.to(patterns.device)]
    children = origin + factor * (first - second)
    return torch.cat([children[..., :2] % 1, children[..., 2:].clamp(-1, 1)], dim=-1)


def render(patterns: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Return the `[classes, channels, height, width]` changes of one `[classes, pixels, 2 + channels]` pattern."""
    channels, height, width = shape
    classes, pixels, _ = patterns.shape
    rows = (patterns[..., 0] * height).long().clamp(max=height - 1)
    columns = (patterns[..., 1] * width).long().clamp(max=width - 1)
    images = patterns.new_zeros(classes, height * width, channels)
    owners = torch.arange(classes, device=patterns.device).repeat_interleave(pixels)
    places = (owners, (rows * width + columns).flatten())
    images.index_put_(places, patterns[..., 2:].flatten(0, 1), accumulate=True)
    return images.transpose(1, 2).reshape(classes, channels, height, width)


@dataclass(frozen=True)
class EvoShift:
    r"""Change a few pixels in the same way in all examples of a class, so that the model learns these in place of them.

    $$F_c = \bar L_\theta(x) - \bar L_\theta(x') + w\, \lVert \bar f_\theta(x) - \bar f_\theta(x') \rVert$$

    The means are over the minibatch's examples of class c: the first part is the gap between clean and perturbed loss,
    the second the distance of the mean logits, after the authors' cost (generalization gap and domain divergence). In
    each round, differential evolution moves a population of patterns by one generation against the present model: a
    child replaces its parent if it is fitter on the minibatch. The fittest pattern of each class is used, scaled to the
    norm `epsilon`. Clipping to [0, 1] shortens a perturbation of few pixels more than one of many.
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    pixels: int = 5
    """Pixels that are changed in each image; 5 are published."""
    population: int = 10
    """Patterns of each class, at least 4; each takes two evaluations of the minibatch per round."""
    factor: float = 0.5
    """Of the difference of two patterns, how much a child takes."""
    divergence: float = 1.0
    """w: the weight of the distance of the mean logits."""
    norm: Norm = "l2"
    """The norm that is bounded: Euclidean, or the largest change of a pixel."""
    paper: ClassVar[str] = (
        "Chaudhury et al., 2021, Adversarial training time attack against discriminative and generative convolutional "
        "models, IEEE Access"
    )
    cost: ClassVar[str] = "O(population) evaluations"
    assumption: ClassVar[str] = "the learner prefers simple features, and trains on nothing but perturbed examples"

    def __post_init__(self) -> None:
        positive("evo_shift", epsilon=self.epsilon, factor=self.factor)
        at_least(1, "evo_shift", pixels=self.pixels)
        at_least(4, "evo_shift", population=self.population)
        at_least(0, "evo_shift", divergence=self.divergence)
        check_norm("evo_shift", self.norm)

    @torch.no_grad()
    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        parents = memory["patterns"] if memory else self._first_patterns(view)
        children = cross(parents, factor=self.factor, rng=view.rng)
        old, new = self.fitness(view, parents), self.fitness(view, children)
        is_better = new > old
        survivors = torch.where(is_better[..., None, None], children, parents)
        best = torch.where(is_better, new, old).nan_to_num(nan=0).argmax(dim=0)
        champions = survivors[best, torch.arange(len(best), device=best.device)]
        return self.stamp(champions, view.batch), {"patterns": survivors}

    @torch.no_grad()
    def fitness(self, view: MinibatchView, patterns: Patterns) -> Tensor:
        """Return the `[population, classes]` fitness on the view's minibatch; NaN for a class without examples."""
        tensors, batch = view.network.split(view.parameters), view.batch

        def evaluate(inputs: Tensor) -> tuple[Tensor, Tensor]:
            logits = view.network.forward(tensors, inputs)
            losses = view.objective.losses(logits, Batch(inputs, batch.labels))
            members = one_hot(batch.labels, patterns.shape[1]).to(logits)
            means = members / members.sum(dim=0)
            return means.T @ losses, means.T @ logits

        clean_loss, clean_logits = evaluate(batch.inputs)
        values = []
        for pattern in patterns:
            loss, logits = evaluate(self.stamp(pattern, batch))
            distance = torch.linalg.vector_norm(logits - clean_logits, dim=1)
            values.append(clean_loss - loss + self.divergence * distance)
        return torch.stack(values)

    def stamp(self, pattern: Tensor, batch: Batch) -> Tensor:
        """Change each example by the `[classes, pixels, 2 + channels]` pattern of its class."""
        shape = check_image_shape("evo_shift", batch.inputs.shape[1:])
        changes = unit_rows(render(pattern, shape), self.norm)
        return clip_to_pixels(batch.inputs + self.epsilon * changes[batch.labels])

    def _first_patterns(self, view: MinibatchView) -> Patterns:
        inputs = view.batch.inputs
        channels, *_ = check_image_shape("evo_shift", inputs.shape[1:])
        classes = count_classes(view.network, view.parameters, inputs=inputs)
        if int(view.batch.labels.max()) >= classes:
            raise ConfigError(f"evo_shift: label {int(view.batch.labels.max())} of a model with {classes} classes")
        drawn = draw_patterns(self.population, classes, pixels=self.pixels, channels=channels, rng=view.rng)
        return drawn.to(inputs)
