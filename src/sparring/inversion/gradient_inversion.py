"""Gradient inversion (Geiping et al., 2020): find images and labels whose gradient matches an observed one."""

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

    `lr` is the factor from a gradient to the server's step: with one local step, the clients' lr times the server's.
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
"""Fractions of the iterations after which the step sizes are divided by 10, as in the authors' code."""


@dataclass(frozen=True)
class GradientInversion:
    """Settings of the search for images: with Adam, all images of a batch and all restarts at once."""

    images: int = 1
    """Number of images that the gradient is assumed to average."""
    iterations: int = 300
    lr: float = 0.1
    """Change of a pixel per iteration, in units of `unit`."""
    label_lr: float = 0.01
    """Change of the soft labels' logits per iteration."""
    variation: float = 0.2
    """Weight β of the images' mean total variation, which is measured in units of `unit`."""
    signed: bool = True
    """Whether Adam uses only the signs of the pixels' gradients."""
    restarts: int = 1
    brightness: float = 0.2
    """Upper bound of the random initial pixels, whose lower bound is 0."""
    confidence: float = 4.0
    """Initial logit of the label inferred from the gradient; the other logits are 0."""
    unit: float = field(default=1.0, metadata=ADDED_LATER)
    """The pixel change, on the scale from 0 to 1, that counts as one unit. For normalized pixels, as in most published
    settings, it is the data set's standard deviation."""

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
"""Settings that work for small grayscale images."""
MNIST_STD, FASHION_MNIST_STD = 0.3081, 0.3530
"""Divisors of the pixels in the public code of Li et al. (2022), which searches for normalized images."""
MSG = GradientInversion(
    images=32, iterations=10_000, lr=0.05, variation=0.02, label_lr=0.05, signed=True, unit=MNIST_STD
)
"""The published settings of the meta-Stackelberg game (appendix C), equal to those of that code for MNIST; the signs
and the unit, which the paper does not state, are also from the code. The search starts from gray images."""
MARL = GradientInversion(
    images=32, iterations=6_000, lr=0.001, variation=0.01, label_lr=0.001, signed=True, unit=FASHION_MNIST_STD
)
"""Those of the attack of several RL agents (appendix C.1) on Fashion-MNIST, likewise. The paper starts from the
attackers' own images; this search does not."""


class Reconstruction(NamedTuple):
    """The images and labels reconstructed from a gradient."""

    inputs: Tensor
    """Pixels in [0, 1], `[images, channels, height, width]`."""
    labels: Tensor
    """Probabilities of the classes, `[images, classes]`."""
    distance: float
    """1 - cosine of the images' gradient and the observed one."""
    iterations: int
    """The iteration at which they were found; the best result is kept, not the last."""
    note: str = ""
    """A problem in the search, if there was one."""

    def __repr__(self) -> str:
        return briefly(self)


class Search(NamedTuple):
    """Images and the logits of their labels, `[searches, images, ...]`, and the gradients to match."""

    images: Tensor
    logits: Tensor
    targets: Matrix


class Best(NamedTuple):
    """The best images and logits of each search so far, with their objective, distance and iteration."""

    images: Tensor
    logits: Tensor
    objective: Tensor
    distance: Tensor
    iteration: Tensor


class Course(NamedTuple):
    """Statistics of each search."""

    first: Tensor
    """The first objective."""
    last: Tensor
    faults: Tensor
    """Number of iterations with a non-finite objective."""


def invert(
    model: Model,
    gradient: Vector,
    *,
    shape: Sequence[int],
    rng: Generator,
    answers: Tensor | None = None,
    search: GradientInversion = USUAL,
) -> Reconstruction:
    """Reconstruct the images, each of `shape`, from their mean gradient at `model`."""
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
    """Reconstruct images from each of several gradients at the same model, all at once.

    Images and soft labels minimize 1 - cos(∇F(images), gradient) + β · TV(images) (RLA, section 4.2). Labels are
    initialized from the gradient of the last biases, which needs the model's mean output per class: `answers` are the
    `mean_answers` on similar examples; by default they are computed on the initial images.
    """
    check_model("invert_each: model", model)
    check_generator("invert: rng", rng)
    _check(model, gradients, shape=shape)
    observed = finite_rows(gradients) & (gradients != 0).any(dim=1)
    targets = gradients.where(observed[:, None], 0).repeat_interleave(search.restarts, dim=0)
    size = (len(targets), search.images, *shape)
    images = _drawn(size, brightness=search.brightness, rng=rng, device=targets.device)
    logits = _labels(
        model, targets, answers=_mean_softmax(model, images) if answers is None else answers, search=search, rng=rng
    )
    best, course = _search(model, Search(images, logits, targets), search=search)
    notes = _notes(course, observed.repeat_interleave(search.restarts), iterations=search.iterations)
    restarts = best.objective.view(len(gradients), search.restarts)
    winners = restarts.argmin(dim=1)
    winners += search.restarts * torch.arange(len(gradients), device=winners.device)
    return tuple(_reconstruction(best, winner, note=notes[winner]) for winner in winners.tolist())


def total_variation(images: Tensor) -> Tensor:
    """Return the mean absolute difference of adjacent pixels, vertical plus horizontal, of `[..., images, c, h, w]`."""
    down = (images[..., 1:, :] - images[..., :-1, :]).abs()
    across = (images[..., 1:] - images[..., :-1]).abs()
    return down.mean(dim=(-4, -3, -2, -1)) + across.mean(dim=(-4, -3, -2, -1))


def gradients_of(network: Network, parameters: Vector, *, images: Tensor, logits: Tensor) -> Matrix:
    """Return each search's mean gradient on its images and soft labels; it can be differentiated again."""

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


def _mean_softmax(model: Model, images: Tensor) -> Tensor:
    """Return the mean softmax on `[searches, images, ...]`, repeated for every class."""
    mean = model(images.flatten(0, 1)).double().softmax(dim=1).mean(dim=0)
    return mean.repeat(len(mean), 1)


def _labels(model: Model, targets: Matrix, *, answers: Tensor, search: GradientInversion, rng: Generator) -> Tensor:
    """Return initial logits, `[searches, images, classes]`, of the labels inferred from each gradient."""
    shares = [label_shares(model, target, answers=answers) for target in targets]
    labels = torch.stack([dealt_labels(each, search.images, rng=rng) for each in shares]).to(targets.device)
    return one_hot(labels, len(answers)).float().mul_(search.confidence).requires_grad_()


def _search(model: Model, state: Search, *, search: GradientInversion) -> tuple[Best, Course]:
    """Run the gradient descent; the images and logits of `state` are modified in place."""
    optimizer = torch.optim.Adam(
        [{"params": [state.images], "lr": search.lr * search.unit}, {"params": [state.logits], "lr": search.label_lr}]
    )
    milestones = [int(share * search.iterations) for share in DECAYS]
    decay = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)
    best, objectives = _initial_best(state), []
    for iteration in range(search.iterations):
        current = _evaluate(model, state, iteration=iteration, search=search)
        best = _better(best, current)
        objectives.append(current.objective)
        optimizer.step()
        decay.step()
        with torch.no_grad():
            state.images.clamp_(0, 1)
    faults = (~torch.isfinite(torch.stack(objectives))).sum(dim=0)
    return best, Course(objectives[0], objectives[-1], faults)


def _initial_best(state: Search) -> Best:
    """Return the initial images and logits with an infinite objective."""
    worst = state.targets.new_full((len(state.targets),), inf)
    never = torch.zeros_like(worst, dtype=torch.int64)
    return Best(state.images.detach().clone(), state.logits.detach().clone(), worst, worst, never)


def _evaluate(model: Model, state: Search, *, iteration: int, search: GradientInversion) -> Best:
    """Evaluate the current images and store their gradients for the optimizer; non-finite gradients become zero."""
    with torch.enable_grad():
        gradients = gradients_of(model.network, model.parameters, images=state.images, logits=state.logits)
        distance = 1 - cosine_similarity(gradients, state.targets, dim=1)
        objective = distance + search.variation / search.unit * total_variation(state.images)
        slopes = torch.autograd.grad(objective.sum(), (state.images, state.logits))
    images, logits = (slope.nan_to_num(nan=0, posinf=0, neginf=0) for slope in slopes)
    state.images.grad, state.logits.grad = images.sign() if search.signed else images, logits
    found = torch.full_like(distance, iteration, dtype=torch.int64)
    return Best(state.images.detach(), state.logits.detach(), objective.detach(), distance.detach(), found)


def _better(best: Best, current: Best) -> Best:
    """Keep, for each search, the result with the lower objective; NaN never counts as lower."""
    is_better = current.objective < best.objective
    return Best(*(choose_rows(is_better, new, old=old) for new, old in zip(current, best, strict=True)))


def _notes(course: Course, observed: Tensor, *, iterations: int) -> list[str]:
    """Return a note for each search that had a problem."""
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
