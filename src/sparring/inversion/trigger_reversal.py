"""Neural Cleanse (Wang et al., 2019): the smallest trigger for each class that makes a model answer with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, briefly, choose_rows, in_chunks, pixels
from sparring.contracts import Model, check_model
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.validation import check_at_least_one, check_batch, check_generator, check_positive, check_shares

LARGEST = 1e6
"""Where a penalty stops rising: against a model that always answers the same, no size is too small."""


@dataclass(frozen=True)
class PenaltySchedule:
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
        check_at_least_one("schedule", patience=self.patience)
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


def adjusted(penalties: Penalties, succeeded: Tensor, *, schedule: PenaltySchedule) -> Penalties:
    """Return the penalties after a trial, of which `succeeded` says a boolean for each class."""
    wins, losses = (penalties.wins + 1) * succeeded, (penalties.losses + 1) * ~succeeded
    rises = wins >= schedule.patience
    falls = (losses >= schedule.patience) & (penalties.weights > 0)
    risen = (penalties.weights * schedule.rise).clamp(schedule.start, LARGEST)
    weights = risen.where(rises, (penalties.weights / schedule.fall).where(falls, penalties.weights))
    return Penalties(weights, wins * ~rises, losses * ~falls, penalties.has_risen | rises, penalties.has_fallen | falls)


CONSISTENCY = 1.4826
"""What makes the median absolute deviation of normally distributed numbers their standard deviation."""
THRESHOLD = 2.0
"""The anomaly index above which a class is suspicious: of normally distributed numbers 1 in 20 has a larger one."""


def anomaly_index(norms: Tensor) -> Tensor:
    """Return |norm - median| / (1.4826 · MAD) for each of the classes' norms, in float64.

    MAD is the median absolute deviation. Of an even number the median is the mean of the two in the middle. Where the
    MAD is zero, the index is 0 at the median and infinite elsewhere.
    """
    deviations = (norms.double() - norms.double().quantile(0.5)).abs()
    return (deviations / (CONSISTENCY * deviations.quantile(0.5))).where(deviations > 0, 0)


def too_small(norms: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Return which norms are below the median with an anomaly index above the threshold."""
    return (norms.double() < norms.double().quantile(0.5)) & (anomaly_index(norms) > threshold)


BETAS = (0.5, 0.9)
"""Of Adam, as the authors set it."""
EDGE = 1e-3
"""How close to 0 and 1 a mask and a pattern can start: there the derivative of tanh vanishes."""
CHUNK = 1000
"""The most images that are tried at once."""
STALE, MUCH = 5, 0.99
"""A class is done when its penalty has risen and fallen, and so many trials in a row left the norm above this share."""


@dataclass(frozen=True)
class TriggerReversal:
    """How triggers are searched for: with Adam, for all classes at once, each with a penalty of its own."""

    success: float = 0.99
    """The share of the root images that a trigger must turn into its class."""
    steps: int = 400
    """The most minibatches."""
    batch: int = 32
    """Images in a minibatch; every class has its trigger on the same ones."""
    lr: float = 0.1
    interval: int = 10
    """Steps between two trials of the triggers on all root images, after which penalties change."""
    schedule: PenaltySchedule = PenaltySchedule()

    def __post_init__(self) -> None:
        check_shares("reversal", success=self.success)
        check_positive("reversal", lr=self.lr)
        check_at_least_one("reversal", steps=self.steps, batch=self.batch, interval=self.interval)


USUAL = TriggerReversal()
"""What does for small images."""


class ReversedTrigger(NamedTuple):
    """A trigger that was found for a class, and what it does to the root images."""

    target: int
    mask: Tensor
    """How much of the pattern each pixel takes, from 0 to 1, `[1, height, width]`."""
    pattern: Tensor
    """Pixels in [0, 1], `[channels, height, width]`."""
    success: float
    """The share of the root images that the model takes for the target once they have the trigger."""
    found: bool
    """Whether that is as much as was asked for; if not, the most successful trigger was kept, and not the smallest."""

    def __repr__(self) -> str:
        return briefly(self)

    @property
    def norm(self) -> float:
        """The sum of the mask: how many pixels the trigger takes."""
        return float(self.mask.double().sum())

    def stamp(self, images: Tensor) -> Tensor:
        """Return the images with the trigger."""
        return stamped(images, self.mask, pattern=self.pattern)


class Triggers(NamedTuple):
    """The triggers of all classes, and the share of the root images that each turns into its own."""

    masks: Tensor
    patterns: Tensor
    success: Tensor

    @property
    def norms(self) -> Tensor:
        return self.masks.sum(dim=(1, 2, 3))


class Progress(NamedTuple):
    """What the trials so far have led to."""

    best: Triggers
    penalties: Penalties
    stale: Tensor
    """Trials in a row after which a class's best trigger was no smaller."""


def stamped(images: Tensor, mask: Tensor, *, pattern: Tensor) -> Tensor:
    """Return (1 - mask) · image + mask · pattern (equation 2)."""
    return (1 - mask) * images + mask * pattern


def reverse_triggers(
    model: Model, root: Batch, *, rng: Generator, search: TriggerReversal = USUAL
) -> tuple[ReversedTrigger, ...]:
    """Return for every class the smallest trigger that turns root images into it.

    For class t it minimizes L(f(stamped(x)), t) + λ · |mask| (equation 3). Mask and pattern are (tanh + 1) / 2 of what
    Adam changes, and so in [0, 1] whatever it does; a gradient that is not finite counts as zero. What is kept is the
    best of all trials, not the last one.
    """
    check_model("reverse_triggers: model", model)
    check_batch("reverse_triggers: root", root, example="Batch(*(part[:100] for part in data.train))")
    check_generator("reverse_triggers: rng", rng)
    images = _images(root)
    best = _searched(model, images, rng=rng, search=search)
    rows = zip(best.masks, best.patterns, best.success.tolist(), strict=True)
    return tuple(ReversedTrigger(target, *row, found=row[-1] >= search.success) for target, row in enumerate(rows))


def suspicious(triggers: Sequence[ReversedTrigger], threshold: float = THRESHOLD) -> tuple[ReversedTrigger, ...]:
    """Return the triggers of the classes that a backdoor may lead to: those that work and are too small."""
    small = too_small(torch.tensor([trigger.norm for trigger in triggers]), threshold)
    return tuple(
        trigger for trigger, is_small in zip(triggers, small.tolist(), strict=True) if is_small and trigger.found
    )


def _images(root: Batch) -> Tensor:
    if root.inputs.ndim != 4 or len(root.inputs) == 0:
        raise ConfigError(f"reversal: the root inputs have shape {list(root.inputs.shape)}; use at least one image")
    return pixels(root.inputs)


def _searched(model: Model, images: Tensor, *, rng: Generator, search: TriggerReversal) -> Triggers:
    """Descend and try in turn, until every class is done or the steps are used up."""
    classes = model(images[:2]).shape[1]  # two, since a model may normalize over examples
    leaves = [leaf.to(images.device).requires_grad_() for leaf in _drawn(images.shape[1:], classes=classes, rng=rng)]
    optimizer = torch.optim.Adam(leaves, lr=search.lr, betas=BETAS)
    progress = _begun(leaves)
    for step, minibatch in enumerate(_minibatches(images, search, rng=rng), start=1):
        rows = (~_is_done(progress)).nonzero().flatten()
        if len(rows) == 0:
            break
        _descend(optimizer, model, images=minibatch, rows=rows, weights=progress.penalties.weights[rows])
        if step % search.interval == 0 or step == search.steps:
            trial = _tried(model, leaves, images=images, rows=rows)
            progress = _advanced(progress, trial, search=search)
    return progress.best


def _drawn(shape: Sequence[int], *, classes: int, rng: Generator) -> list[Tensor]:
    """Draw masks and patterns, uniform on [0, 1], as tanh sees them: `[classes, 1 or channels, height, width]`."""
    channels, *sides = shape
    uniform = (rng.random((classes, depth, *sides), dtype=np.float32) for depth in (1, channels))
    return [torch.from_numpy(values).mul_(2).sub_(1).mul_(1 - EDGE).atanh_() for values in uniform]


def _bounded(leaf: Tensor) -> Tensor:
    return (leaf.tanh() + 1) / 2


def _begun(leaves: Sequence[Tensor]) -> Progress:
    masks, patterns = (_bounded(leaf.detach()) for leaf in leaves)
    untried, penalties = Triggers(masks, patterns, _unknown(masks)), unpenalized(len(masks), masks.device)
    return Progress(untried, penalties, torch.zeros_like(penalties.wins))


def _unknown(masks: Tensor) -> Tensor:
    """Return a success that any other is better than."""
    return masks.new_full((len(masks),), -1.0, dtype=torch.float64)


def _is_done(progress: Progress) -> Tensor:
    return progress.penalties.has_risen & progress.penalties.has_fallen & (progress.stale >= STALE)


def _minibatches(images: Tensor, search: TriggerReversal, *, rng: Generator) -> Iterator[Tensor]:
    for _ in range(search.steps):
        yield images[rng.choice(len(images), min(search.batch, len(images)), replace=False)]


def _descend(optimizer: torch.optim.Optimizer, model: Model, *, images: Tensor, rows: Tensor, weights: Tensor) -> None:
    """Take one step down the objective of each class in `rows`."""
    leaves = optimizer.param_groups[0]["params"]
    with torch.enable_grad():
        masks, patterns = (_bounded(leaf[rows]) for leaf in leaves)
        inputs = stamped(images, masks[:, None], pattern=patterns[:, None]).flatten(0, 1)
        logits = model.network.forward(model.network.split(model.parameters), inputs)
        wrong = cross_entropy(logits, rows.repeat_interleave(len(images)), reduction="sum") / len(images)
        objective = wrong + weights @ masks.sum(dim=(1, 2, 3))
    for leaf, slope in zip(leaves, torch.autograd.grad(objective, leaves), strict=True):
        leaf.grad = slope.nan_to_num(nan=0, posinf=0, neginf=0)
    optimizer.step()


@torch.no_grad()
def _tried(model: Model, leaves: Sequence[Tensor], *, images: Tensor, rows: Tensor) -> Triggers:
    """Return all triggers as they are now; those of classes that are not in `rows` have no success."""
    masks, patterns = (_bounded(leaf) for leaf in leaves)
    success = _unknown(masks)
    for row in rows.tolist():
        inputs = stamped(images, masks[row], pattern=patterns[row])
        hits = [_hits(model, part, target=row) for part in in_chunks(inputs, CHUNK)]
        success[row] = torch.cat(hits).double().mean()
    return Triggers(masks, patterns, success)


def _hits(model: Model, images: Tensor, *, target: int) -> Tensor:
    """Return which images the model takes for the target; logits that are not numbers are no answer."""
    logits = model(images)
    return (logits.argmax(dim=1) == target) & torch.isfinite(logits).all(dim=1)


def _advanced(progress: Progress, trial: Triggers, *, search: TriggerReversal) -> Progress:
    """Keep of each class the smallest trigger that works, or else the most successful one, and change the penalties."""
    best = progress.best
    works, worked = trial.success >= search.success, best.success >= search.success
    is_better = torch.where(works & worked, trial.norms < best.norms, trial.success > best.success)
    is_smaller = works & ~(worked & (trial.norms > MUCH * best.norms))
    kept = Triggers(*(choose_rows(is_better, new, old=old) for new, old in zip(trial, best, strict=True)))
    penalties = adjusted(progress.penalties, works, schedule=search.schedule)
    return Progress(kept, penalties, (progress.stale + 1) * ~is_smaller)
