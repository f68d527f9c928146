"""Inverting gradients (Geiping et al., 2020): images and labels whose gradient points where an observed one does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import cosine_similarity, cross_entropy, one_hot

from sparring.arrays import Matrix, Vector, briefly, choose_rows, finite_rows
from sparring.contracts import Model, Network, check_model
from sparring.errors import ConfigError
from sparring.inversion.label_inference import dealt_labels, label_shares
from sparring.random import Generator
from sparring.registry import ADDED_LATER
from sparring.validation import check_at_least_one, check_generator, check_kind, check_positive, check_shares


def aggregated_gradient(previous: Vector, current: Vector, *, lr: float, rounds: int = 1) -> Vector:
    """Return (previous - current) / (lr · rounds): the mean gradient of the rounds between two global models.

    `lr` is what takes a gradient to the server's step: with one local step, the clients' lr times the server's.
    """
    if not 0 < lr < inf:
        raise ConfigError(f"aggregated gradient: lr is {lr}; it must be positive and finite")
    if rounds < 1:
        raise ConfigError(f"aggregated gradient: rounds is {rounds}; it must be at least 1")
    if previous.shape != current.shape:
        given = f"{list(previous.shape)} and {list(current.shape)}"
        raise ConfigError(f"aggregated gradient: the models have shapes {given}; give two of the same network")
    return torch.sub(previous, current).div_(lr * rounds)


DECAYS = (3 / 8, 5 / 8, 7 / 8)
"""After which shares of the iterations the step sizes fall to a tenth, as the authors have it."""


@dataclass(frozen=True)
class GradientInversion:
    """How images are searched for: with Adam, all images of a batch and all restarts at once."""

    images: int = 1
    """How many images a gradient is taken to be the mean of."""
    iterations: int = 300
    lr: float = 0.1
    """What pixels change by in an iteration, in units of `unit`."""
    label_lr: float = 0.01
    """What the logits of the soft labels change by in an iteration."""
    variation: float = 0.2
    """The weight β of the images' mean total variation, which is measured in units of `unit`."""
    signed: bool = True
    """Whether Adam sees only the signs of the pixels' slopes."""
    restarts: int = 1
    brightness: float = 0.2
    """Every pixel starts at random from 0 to this."""
    confidence: float = 4.0
    """The logit with which a label that the gradient gives away starts, the others being 0."""
    unit: float = field(default=1.0, metadata=ADDED_LATER)
    """The change of a pixel, from 0 to 1, that counts as one: for pixels that are normalized, as in most published
    settings, the standard deviation of the data set's."""

    def __post_init__(self) -> None:
        check_at_least_one("inversion", images=self.images, iterations=self.iterations, restarts=self.restarts)
        check_positive("inversion", lr=self.lr)
        for name in ("label_lr", "variation", "confidence"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"inversion.{name} is {getattr(self, name)}; it must be at least 0 and finite")
        check_shares("inversion", unit=self.unit)
        if not 0 <= self.brightness <= 1:
            raise ConfigError(f"inversion.brightness is {self.brightness}; it must be from 0 to 1")


USUAL = GradientInversion()
"""What does for small gray images."""
MNIST_STD, FASHION_MNIST_STD = 0.3081, 0.3530
"""By which pixels are divided in the public code of Li et al. (2022), which searches for normalized images."""
MSG = GradientInversion(
    images=32, iterations=10_000, lr=0.05, variation=0.02, label_lr=0.05, signed=True, unit=MNIST_STD
)
"""The published settings of the meta-Stackelberg game (appendix C), which are those of that code for MNIST; the signs
and the unit, which the paper does not state, are the code's, too. It starts from gray images."""
MARL = GradientInversion(
    images=32, iterations=6_000, lr=0.001, variation=0.01, label_lr=0.001, signed=True, unit=FASHION_MNIST_STD
)
"""Those of the attack of several RL agents (appendix C.1) on Fashion-MNIST, likewise. The paper starts from the
attackers' own images; nothing does here."""


class Reconstruction(NamedTuple):
    """What a gradient gave away."""

    inputs: Tensor
    """Pixels in [0, 1], `[images, channels, height, width]`."""
    labels: Tensor
    """Probabilities of the classes, `[images, classes]`."""
    distance: float
    """1 - cosine of the gradient of these and the observed one."""
    iterations: int
    """After how many iterations they were found; the best are kept, not the last."""
    note: str = ""
    """What went wrong, if anything."""

    def __repr__(self) -> str:
        return briefly(self)


class Search(NamedTuple):
    """Images and the logits of their labels, `[searches, images, ...]`, and what they are to explain."""

    images: Tensor
    logits: Tensor
    targets: Matrix


class Best(NamedTuple):
    """Of each search the best images and logits so far, their objective and distance, and when they were found."""

    images: Tensor
    logits: Tensor
    objective: Tensor
    distance: Tensor
    iteration: Tensor


class Course(NamedTuple):
    """How each search went."""

    first: Tensor
    """Its first objective."""
    last: Tensor
    faults: Tensor
    """Iterations whose objective was not finite."""


def invert(
    model: Model,
    gradient: Vector,
    *,
    shape: Sequence[int],
    rng: Generator,
    answers: Tensor | None = None,
    search: GradientInversion = USUAL,
) -> Reconstruction:
    """Reconstruct from a gradient at `model` the images, of `shape` each, that it is the mean over."""
    check_model("invert: model", model)
    check_kind("invert: gradient", gradient, kind=Tensor, remedy="give a vector, such as a client's update")
    (found,) = invert_each(model, gradient[None], shape=shape, rng=rng, answers=answers, search=search)
    return found


def invert_each(
    model: Model,
    gradients: Matrix,
    *,
    shape: Sequence[int],
    rng: Generator,
    answers: Tensor | None = None,
    search: GradientInversion = USUAL,
) -> tuple[Reconstruction, ...]:
    """Reconstruct from each of several gradients at the same model, all at once.

    Images and soft labels minimize 1 - cos(∇F(images), gradient) + β · TV(images) (RLA, section 4.2). Labels start
    from what the last biases give away, for which `answers` are the `mean_answers` on examples like those that are
    searched for; without, those on the images that the search starts from.
    """
    check_model("invert_each: model", model)
    check_generator("invert: rng", rng)
    _check(model, gradients, shape=shape)
    observed = finite_rows(gradients) & (gradients != 0).any(dim=1)
    targets = gradients.where(observed[:, None], 0).repeat_interleave(search.restarts, dim=0)
    size = (len(targets), search.images, *shape)
    images = _drawn(size, brightness=search.brightness, rng=rng, device=targets.device)
    logits = _labels(
        model, targets, answers=_expected(model, images) if answers is None else answers, search=search, rng=rng
    )
    best, course = _searched(model, Search(images, logits, targets), search=search)
    notes = _notes(course, observed.repeat_interleave(search.restarts), iterations=search.iterations)
    restarts = best.objective.view(len(gradients), search.restarts)
    winners = restarts.argmin(dim=1)
    winners += search.restarts * torch.arange(len(gradients), device=winners.device)
    return tuple(_reconstruction(best, winner, note=notes[winner]) for winner in winners.tolist())


def total_variation(images: Tensor) -> Tensor:
    """Return the mean absolute difference of neighboring pixels, down plus across, of `[..., images, c, h, w]`."""
    down = (images[..., 1:, :] - images[..., :-1, :]).abs()
    across = (images[..., 1:] - images[..., :-1]).abs()
    return down.mean(dim=(-4, -3, -2, -1)) + across.mean(dim=(-4, -3, -2, -1))


def gradients_of(network: Network, parameters: Vector, *, images: Tensor, logits: Tensor) -> Matrix:
    """Return each search's mean gradient on its images and soft labels, which can be differentiated again."""

    def loss(tensors: Sequence[Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, scores = batch
        return cross_entropy(network.forward(tensors, inputs), scores.softmax(dim=-1))

    pieces = vmap(grad(loss), in_dims=(None, 0))(network.split(parameters), (images, logits))
    return torch.cat([piece.reshape(len(piece), -1) for piece in pieces], dim=1)


def _check(model: Model, gradients: Matrix, *, shape: Sequence[int]) -> None:
    if len(shape) != 3:
        raise ConfigError(f"inversion: examples of shape {list(shape)}; use images [channels, height, width]")
    if gradients.shape[1:] != model.parameters.shape:
        given, wanted = list(gradients.shape[1:]), list(model.parameters.shape)
        raise ConfigError(f"inversion: the gradient has shape {given}; one of this model has {wanted}")


def _drawn(size: tuple[int, ...], *, brightness: float, rng: Generator, device: torch.device) -> Tensor:
    return torch.from_numpy(rng.random(size, dtype=np.float32)).to(device).mul_(brightness).requires_grad_()


def _expected(model: Model, images: Tensor) -> Tensor:
    """Return the mean softmax on `[searches, images, ...]` as what is answered to every class."""
    mean = model(images.flatten(0, 1)).double().softmax(dim=1).mean(dim=0)
    return mean.repeat(len(mean), 1)


def _labels(model: Model, targets: Matrix, *, answers: Tensor, search: GradientInversion, rng: Generator) -> Tensor:
    """Deal out the labels that each gradient gives away, as logits `[searches, images, classes]`."""
    shares = [label_shares(model, target, answers=answers) for target in targets]
    labels = torch.stack([dealt_labels(each, search.images, rng=rng) for each in shares]).to(targets.device)
    return one_hot(labels, len(answers)).float().mul_(search.confidence).requires_grad_()


def _searched(model: Model, state: Search, *, search: GradientInversion) -> tuple[Best, Course]:
    """Descend from `state`, whose images and logits are changed."""
    optimizer = torch.optim.Adam(
        [{"params": [state.images], "lr": search.lr * search.unit}, {"params": [state.logits], "lr": search.label_lr}]
    )
    milestones = [int(share * search.iterations) for share in DECAYS]
    decay = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)
    best, objectives = _unbeaten(state), []
    for iteration in range(search.iterations):
        tried = _tried(model, state, iteration=iteration, search=search)
        best = _better(best, tried)
        objectives.append(tried.objective)
        optimizer.step()
        decay.step()
        with torch.no_grad():
            state.images.clamp_(0, 1)
    faults = (~torch.isfinite(torch.stack(objectives))).sum(dim=0)
    return best, Course(objectives[0], objectives[-1], faults)


def _unbeaten(state: Search) -> Best:
    """Return the start of the searches as what anything finite is better than."""
    worst = state.targets.new_full((len(state.targets),), inf)
    never = torch.zeros_like(worst, dtype=torch.int64)
    return Best(state.images.detach().clone(), state.logits.detach().clone(), worst, worst, never)


def _tried(model: Model, state: Search, *, iteration: int, search: GradientInversion) -> Best:
    """Measure what the searches have come to, and leave the slopes to the optimizer; those of a fault are zero."""
    with torch.enable_grad():
        gradients = gradients_of(model.network, model.parameters, images=state.images, logits=state.logits)
        distance = 1 - cosine_similarity(gradients, state.targets, dim=1)
        objective = distance + search.variation / search.unit * total_variation(state.images)
        slopes = torch.autograd.grad(objective.sum(), (state.images, state.logits))
    images, logits = (slope.nan_to_num(nan=0, posinf=0, neginf=0) for slope in slopes)
    state.images.grad, state.logits.grad = images.sign() if search.signed else images, logits
    found = torch.full_like(distance, iteration, dtype=torch.int64)
    return Best(state.images.detach(), state.logits.detach(), objective.detach(), distance.detach(), found)


def _better(best: Best, tried: Best) -> Best:
    """Keep of each search whichever has the lower objective; what is no number is not lower."""
    is_better = tried.objective < best.objective
    return Best(*(choose_rows(is_better, new, old=old) for new, old in zip(tried, best, strict=True)))


def _notes(course: Course, observed: Tensor, *, iterations: int) -> list[str]:
    """Say of each search what went wrong, if anything."""
    rows = zip(observed.tolist(), course.faults.tolist(), (course.last > course.first).tolist(), strict=True)
    return [_note(*row[:2], of=iterations, is_farther=row[2]) for row in rows]


def _note(observed: bool, faults: int, *, of: int, is_farther: bool) -> str:
    if not observed:
        return "the gradient is zero or not finite: there was nothing to match"
    if faults:
        return f"the objective was not finite in {faults} of {of} iterations: the best of the others is kept"
    return "the search ended farther away than it began: the best is kept" if is_farther else ""


def _reconstruction(best: Best, row: int, *, note: str) -> Reconstruction:
    found = (best.distance[row].item(), int(best.iteration[row]), note)
    return Reconstruction(best.images[row], best.logits[row].softmax(dim=1), *found)
