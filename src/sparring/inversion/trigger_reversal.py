"""Neural Cleanse (Wang et al., 2019): reverse-engineer, for each class, the smallest trigger that leads to it."""

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
"""Upper bound of a penalty: against a model with constant output, every size succeeds."""


@dataclass(frozen=True)
class PenaltySchedule:
    """When and by how much a penalty changes; it is zero until the trigger works."""

    start: float = 1e-3
    """The first non-zero penalty."""
    patience: int = 1
    """Consecutive successes, or failures, before the penalty changes."""
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
    """The penalty of each class, and statistics of its latest trials."""

    weights: Tensor
    wins: Tensor
    """Consecutive successes since the last change."""
    losses: Tensor
    has_risen: Tensor
    has_fallen: Tensor


def initial_penalties(classes: int, device: torch.device | None = None) -> Penalties:
    """Return the initial penalties, which are zero."""
    weights = torch.zeros(classes, device=device)
    none, never = torch.zeros_like(weights, dtype=torch.int64), torch.zeros_like(weights, dtype=torch.bool)
    return Penalties(weights, none, none, never, never)


def adjust_penalties(penalties: Penalties, succeeded: Tensor, *, schedule: PenaltySchedule) -> Penalties:
    """Return the penalties after a trial; `succeeded` is a boolean per class."""
    wins, losses = (penalties.wins + 1) * succeeded, (penalties.losses + 1) * ~succeeded
    rises = wins >= schedule.patience
    falls = (losses >= schedule.patience) & (penalties.weights > 0)
    risen = (penalties.weights * schedule.rise).clamp(schedule.start, LARGEST)
    weights = risen.where(rises, (penalties.weights / schedule.fall).where(falls, penalties.weights))
    return Penalties(weights, wins * ~rises, losses * ~falls, penalties.has_risen | rises, penalties.has_fallen | falls)


CONSISTENCY = 1.4826
"""Factor from the median absolute deviation of a normal distribution to its standard deviation."""
THRESHOLD = 2.0
"""The anomaly index above which a class is suspicious; of normally distributed numbers 1 in 20 exceeds it."""


def anomaly_index(norms: Tensor) -> Tensor:
    """Return |norm - median| / (1.4826 · MAD) for each of the classes' norms, in float64.

    MAD is the median absolute deviation. The median of an even number of values is the mean of the middle two. If the
    MAD is zero, the index is 0 at the median and infinite elsewhere.
    """
    deviations = (norms.double() - norms.double().quantile(0.5)).abs()
    return (deviations / (CONSISTENCY * deviations.quantile(0.5))).where(deviations > 0, 0)


def too_small(norms: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Return a boolean per norm: whether it is below the median with an anomaly index above the threshold."""
    return (norms.double() < norms.double().quantile(0.5)) & (anomaly_index(norms) > threshold)


BETAS = (0.5, 0.9)
"""Adam's betas, as in the authors' code."""
EDGE = 1e-3
"""Minimum distance of an initial mask and pattern from 0 and 1, where the derivative of tanh vanishes."""
CHUNK = 1000
"""Maximum number of images per forward pass."""
STALE, MUCH = 5, 0.99
"""A class is done when its penalty has risen and fallen, and STALE consecutive trials left the norm above MUCH times
the best norm."""


@dataclass(frozen=True)
class TriggerReversal:
    """Settings of the search for triggers: with Adam, for all classes at once, each with its own penalty."""

    success: float = 0.99
    """Fraction of the root images for which a trigger must succeed."""
    steps: int = 400
    """Maximum number of minibatches."""
    batch: int = 32
    """Images per minibatch; all classes' triggers are applied to the same images."""
    lr: float = 0.1
    interval: int = 10
    """Steps between two trials of the triggers on all root images, after which penalties change."""
    schedule: PenaltySchedule = PenaltySchedule()

    def __post_init__(self) -> None:
        check_shares("reversal", success=self.success)
        check_positive("reversal", lr=self.lr)
        check_at_least_one("reversal", steps=self.steps, batch=self.batch, interval=self.interval)


USUAL = TriggerReversal()
"""Settings that work for small images."""


class ReversedTrigger(NamedTuple):
    """A trigger that was found for a class, and its success on the root images."""

    target: int
    mask: Tensor
    """The pattern's weight in each pixel, from 0 to 1, `[1, height, width]`."""
    pattern: Tensor
    """Pixels in [0, 1], `[channels, height, width]`."""
    success: float
    """Fraction of the root images that the model classifies as the target once they have the trigger."""
    found: bool
    """Whether that reaches the required success; if not, the most successful trigger was kept, not the smallest."""

    def __repr__(self) -> str:
        return briefly(self)

    @property
    def norm(self) -> float:
        """The sum of the mask: the trigger's size in pixels."""
        return float(self.mask.double().sum())

    def stamp(self, images: Tensor) -> Tensor:
        """Return the images with the trigger."""
        return stamp(images, self.mask, pattern=self.pattern)


class Triggers(NamedTuple):
    """The triggers of all classes, and the success of each on the root images."""

    masks: Tensor
    patterns: Tensor
    success: Tensor

    @property
    def norms(self) -> Tensor:
        return self.masks.sum(dim=(1, 2, 3))


class Progress(NamedTuple):
    """The results of the trials so far."""

    best: Triggers
    penalties: Penalties
    stale: Tensor
    """Consecutive trials without a smaller trigger for a class."""


def stamp(images: Tensor, mask: Tensor, *, pattern: Tensor) -> Tensor:
    """Return (1 - mask) · image + mask · pattern (equation 2)."""
    return (1 - mask) * images + mask * pattern


def reverse_triggers(
    model: Model, root: Batch, *, rng: Generator, search: TriggerReversal = USUAL
) -> tuple[ReversedTrigger, ...]:
    """Return for every class the smallest trigger found with which root images are classified as it.

    For class t it minimizes L(f(stamp(x)), t) + λ · |mask| (equation 3). Adam optimizes arguments of (tanh + 1) / 2,
    so that mask and pattern stay in [0, 1]; a non-finite gradient counts as zero. The best trial is kept, not the last.
    """
    check_model("reverse_triggers: model", model)
    check_batch("reverse_triggers: root", root, example="Batch(*(part[:100] for part in data.train))")
    check_generator("reverse_triggers: rng", rng)
    images = _images(root)
    best = _search(model, images, rng=rng, search=search)
    rows = zip(best.masks, best.patterns, best.success.tolist(), strict=True)
    return tuple(ReversedTrigger(target, *row, found=row[-1] >= search.success) for target, row in enumerate(rows))


def suspicious(triggers: Sequence[ReversedTrigger], threshold: float = THRESHOLD) -> tuple[ReversedTrigger, ...]:
    """Return the triggers of suspicious classes: those that work and are too small."""
    small = too_small(torch.tensor([trigger.norm for trigger in triggers]), threshold)
    return tuple(
        trigger for trigger, is_small in zip(triggers, small.tolist(), strict=True) if is_small and trigger.found
    )


def _images(root: Batch) -> Tensor:
    if root.inputs.ndim != 4 or len(root.inputs) == 0:
        raise ConfigError(f"reversal: the root inputs have shape {list(root.inputs.shape)}; use at least one image")
    return pixels(root.inputs)


def _search(model: Model, images: Tensor, *, rng: Generator, search: TriggerReversal) -> Triggers:
    """Alternate gradient steps and trials, until every class is done or no steps are left."""
    classes = model(images[:2]).shape[1]  # two, since the model may use batch normalization
    leaves = [leaf.to(images.device).requires_grad_() for leaf in _drawn(images.shape[1:], classes=classes, rng=rng)]
    optimizer = torch.optim.Adam(leaves, lr=search.lr, betas=BETAS)
    progress = _initial_progress(leaves)
    for step, minibatch in enumerate(_minibatches(images, search, rng=rng), start=1):
        rows = (~_is_done(progress)).nonzero().flatten()
        if len(rows) == 0:
            break
        _descend(optimizer, model, images=minibatch, rows=rows, weights=progress.penalties.weights[rows])
        if step % search.interval == 0 or step == search.steps:
            trial = _evaluate(model, leaves, images=images, rows=rows)
            progress = _update(progress, trial, search=search)
    return progress.best


def _drawn(shape: Sequence[int], *, classes: int, rng: Generator) -> list[Tensor]:
    """Draw masks and patterns, uniform on [0, 1], as arguments of tanh: `[classes, 1 or channels, height, width]`."""
    channels, *sides = shape
    uniform = (rng.random((classes, depth, *sides), dtype=np.float32) for depth in (1, channels))
    return [torch.from_numpy(values).mul_(2).sub_(1).mul_(1 - EDGE).atanh_() for values in uniform]


def _to_unit(leaf: Tensor) -> Tensor:
    return (leaf.tanh() + 1) / 2


def _initial_progress(leaves: Sequence[Tensor]) -> Progress:
    masks, patterns = (_to_unit(leaf.detach()) for leaf in leaves)
    untried, penalties = Triggers(masks, patterns, _unknown(masks)), initial_penalties(len(masks), masks.device)
    return Progress(untried, penalties, torch.zeros_like(penalties.wins))


def _unknown(masks: Tensor) -> Tensor:
    """Return a placeholder that is below any success."""
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
        masks, patterns = (_to_unit(leaf[rows]) for leaf in leaves)
        inputs = stamp(images, masks[:, None], pattern=patterns[:, None]).flatten(0, 1)
        logits = model.network.forward(model.network.split(model.parameters), inputs)
        wrong = cross_entropy(logits, rows.repeat_interleave(len(images)), reduction="sum") / len(images)
        objective = wrong + weights @ masks.sum(dim=(1, 2, 3))
    for leaf, slope in zip(leaves, torch.autograd.grad(objective, leaves), strict=True):
        leaf.grad = slope.nan_to_num(nan=0, posinf=0, neginf=0)
    optimizer.step()


@torch.no_grad()
def _evaluate(model: Model, leaves: Sequence[Tensor], *, images: Tensor, rows: Tensor) -> Triggers:
    """Return all current triggers, with the success of the classes in `rows`."""
    masks, patterns = (_to_unit(leaf) for leaf in leaves)
    success = _unknown(masks)
    for row in rows.tolist():
        inputs = stamp(images, masks[row], pattern=patterns[row])
        hits = [_hits(model, part, target=row) for part in in_chunks(inputs, CHUNK)]
        success[row] = torch.cat(hits).double().mean()
    return Triggers(masks, patterns, success)


def _hits(model: Model, images: Tensor, *, target: int) -> Tensor:
    """Return a boolean per image: whether it is classified as the target; non-finite logits do not count."""
    logits = model(images)
    return (logits.argmax(dim=1) == target) & torch.isfinite(logits).all(dim=1)


def _update(progress: Progress, trial: Triggers, *, search: TriggerReversal) -> Progress:
    """Keep, for each class, the smallest trigger that works, or else the most successful one; adjust the penalties."""
    best = progress.best
    works, worked = trial.success >= search.success, best.success >= search.success
    is_better = torch.where(works & worked, trial.norms < best.norms, trial.success > best.success)
    is_smaller = works & ~(worked & (trial.norms > MUCH * best.norms))
    kept = Triggers(*(choose_rows(is_better, new, old=old) for new, old in zip(trial, best, strict=True)))
    penalties = adjust_penalties(progress.penalties, works, schedule=search.schedule)
    return Progress(kept, penalties, (progress.stale + 1) * ~is_smaller)
