"""MM-BM (Wang et al., 2022), the mitigation of MM-BD: learn bounds on the activations from clean examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sparring.arrays import Batch, Vector
from sparring.contracts import Model
from sparring.defenses.post_training.chain import activations, add_taps, chain
from sparring.defenses.post_training.requirements import clean_examples
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.random import Generator
from sparring.registry import ADDED_LATER
from sparring.validation import at_least, positive

Bounds = Mapping[str, Tensor]
"""An upper bound on each channel of each hidden activation, by the activation's name."""

ADAPTED = 10
"""Steps between changes of the penalty."""
FACTOR = 1.2
"""Factor by which the penalty is increased or decreased: the authors' value."""
BATCH = 200
"""Examples per step: the authors' value."""


def bounded(network: ModuleNetwork, bounds: Bounds) -> ModuleNetwork:
    """Return the network with its activations clipped to `min(activation, bound)`."""
    return add_taps(network, {name: partial(torch.minimum, other=bound) for name, bound in bounds.items()})


@torch.no_grad()
def largest(network: ModuleNetwork, parameters: Vector, *, inputs: Tensor) -> Bounds:
    """Return the largest value of each channel of each hidden activation on these inputs, `[1, channels, 1, ...]`."""
    seen: dict[str, Tensor] = {}

    def watch(output: Tensor, *, name: str) -> Tensor:
        seen[name] = output.amax(dim=[0, *range(2, output.dim())], keepdim=True)
        return output

    names = activations("mm_bm", network)
    watched = add_taps(network, {name: partial(watch, name=name) for name in names})
    watched.forward(watched.split(parameters), inputs)
    return seen


def objective(logits: Tensor, reference: Tensor, *, bounds: Sequence[Tensor], penalty: float) -> Tensor:
    """Return the objective that the bounds Z minimize: 1/(|D| K) Σ_x Σ_c (g_c(x; Z) - g_c(x))² + λ Σ_l ‖z_l‖₂.

    D are clean examples that the model classifies correctly, K is the number of classes, g are the logits with and
    without bounds, and z_l are the bounds of one layer.
    """
    return mse_loss(logits, reference) + penalty * torch.stack([bound.norm() for bound in bounds]).sum()


@dataclass(frozen=True)
class MMBM:
    """Clip each channel's activation to the lowest bound that preserves the model's outputs on clean examples.

    The objective is minimized by Adam, starting from the largest activations on the root data. Every ten steps the
    penalty λ increases if at least `accuracy` of the examples are still classified correctly, and decreases otherwise.
    The lowest bounds that met `accuracy` are used. The authors start from 8 (`start`) and bound three activations of
    ResNet-18 (`places`): after the first convolution, the first stage and the second.
    """

    accuracy: float = 0.95
    """The share of root examples that must stay classified correctly: the published π, above 0, at most 1."""
    penalty: float = 0.5
    """Initial value of λ."""
    steps: int = 150
    """Steps of Adam, at least 0."""
    lr: float = 0.1
    """The learning rate of Adam, above 0."""
    places: tuple[str, ...] | None = field(default=None, metadata=ADDED_LATER)
    """The activations to bound, by the names of their layers; null means every hidden activation."""
    start: float | None = field(default=None, metadata=ADDED_LATER)
    """Initial value of all bounds; null means the largest activations on the root data."""
    needs_root: ClassVar[bool] = True
    paper: ClassVar[str] = (
        "Wang et al., 2022, MM-BD: post-training detection of backdoor attacks with arbitrary backdoor pattern types "
        "using a maximum margin statistic, IEEE Symposium on Security and Privacy"
    )
    cost: ClassVar[str] = "a gradient for each step, and a pass over the root data for every tenth"
    assumption: ClassVar[str] = (
        "the trigger needs larger activations than clean examples do, and root data resemble the clients' data"
    )

    def __post_init__(self) -> None:
        if not 0 < self.accuracy <= 1:
            raise ConfigError(f"mm_bm: accuracy={self.accuracy}; use accuracy above 0 and at most 1")
        positive("mm_bm", penalty=self.penalty, lr=self.lr)
        at_least(0, "mm_bm", steps=self.steps)
        if self.start is not None:
            positive("mm_bm", start=self.start)
        if self.places == ():
            raise ConfigError("mm_bm: places is empty; name at least one activation, or use null for all")

    def check(self, model: Model, *, root: Batch | None) -> None:
        """Reject a model without activations to bound, or without the chosen ones."""
        # Two examples, since the model may use batch normalization.
        inputs = clean_examples("mm_bm", root).inputs[:2]
        self._initial_bounds(largest(chain("mm_bm", model.network), model.parameters, inputs=inputs))

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        network = chain("mm_bm", model.network)
        examples = _right(model, clean_examples("mm_bm", root), fewest=network.fewest)
        bounds = self._initial_bounds(largest(network, model.parameters, inputs=examples.inputs))
        return Model(bounded(network, self._lower(bounds, model, examples=examples, rng=rng)), model.parameters)

    def _initial_bounds(self, bounds: Bounds) -> Bounds:
        """Return the initial bounds of the chosen activations."""
        chosen = tuple(bounds) if self.places is None else self.places
        for name in chosen:
            if name not in bounds:
                raise ConfigError(f"mm_bm: places has {name!r}; the hidden activations are: {', '.join(bounds)}")
        initial = {name: bounds[name] for name in chosen}
        if self.start is None:
            return initial
        return {name: torch.full_like(bound, self.start) for name, bound in initial.items()}

    def _lower(self, start: Bounds, model: Model, *, examples: Batch, rng: Generator) -> Bounds:
        bounds = {name: bound.clone().requires_grad_() for name, bound in start.items()}
        clipped = Model(bounded(chain("mm_bm", model.network), bounds), model.parameters)
        optimizer = torch.optim.Adam(bounds.values(), lr=self.lr)
        lowest, penalty, count = start, self.penalty, len(examples.labels)
        reference = model(examples.inputs)
        for step in range(1, self.steps + 1):
            chosen = rng.choice(count, min(BATCH, count), replace=False)
            _descend(optimizer, clipped, reference=reference[chosen], inputs=examples.inputs[chosen], penalty=penalty)
            if step % ADAPTED == 0:
                is_met = _accuracy(clipped, examples) >= self.accuracy
                penalty *= FACTOR if is_met else 1 / FACTOR
                lowest = _copy(bounds) if is_met and _size(bounds) < _size(lowest) else lowest
        return lowest


def _right(model: Model, examples: Batch, *, fewest: int) -> Batch:
    """Return the examples that the model classifies correctly, or all if there are fewer than it needs at once."""
    right = model(examples.inputs).argmax(dim=1) == examples.labels
    return Batch(examples.inputs[right], examples.labels[right]) if right.sum() >= fewest else examples


def _accuracy(model: Model, examples: Batch) -> float:
    return float((model(examples.inputs).argmax(dim=1) == examples.labels).double().mean())


@torch.enable_grad()
def _descend(
    optimizer: torch.optim.Optimizer, clipped: Model, *, reference: Tensor, inputs: Tensor, penalty: float
) -> None:
    """Take one step down the objective in the bounds that `optimizer` holds; bounds are clipped at zero."""
    bounds = optimizer.param_groups[0]["params"]
    optimizer.zero_grad()
    logits = clipped.network.forward(clipped.network.split(clipped.parameters), inputs)
    objective(logits, reference, bounds=bounds, penalty=penalty).backward()
    optimizer.step()
    for bound in bounds:
        bound.data.clamp_(min=0)


def _copy(bounds: Bounds) -> Bounds:
    return {name: bound.detach().clone() for name, bound in bounds.items()}


def _size(bounds: Bounds) -> float:
    return sum(float(bound.detach().norm()) for bound in bounds.values())
