"""You only propagate once (Zhang et al., 2019): most steps of the attack use the first layer alone."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

from torch import Tensor, nn
from torch.func import functional_call

from sparring.arrays import Batch, Vector
from sparring.attacks.minibatch.ascent import REACH, check_ascent, input_slope, stretch
from sparring.contracts import Memory, MinibatchView, Network
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.training.bounds import Norm, bounded_inputs, unit_rows
from sparring.training.replay import layers_of
from sparring.validation import at_least


class DividedModel(NamedTuple):
    """A model in two parts: the first layer with parameters and what precedes it, and the rest."""

    first: Callable[[Tensor], Tensor]
    rest: Callable[[Tensor], Tensor]


def divide_model(network: Network, parameters: Vector) -> DividedModel:
    """Take the first layer with parameters apart."""
    if not isinstance(network, ModuleNetwork) or type(network.module) is not nn.Sequential:
        name = type(network.module).__name__ if isinstance(network, ModuleNetwork) else type(network).__name__
        raise ConfigError(f"yopo: the model is a {name}; use a chain of layers, as torch.nn.Sequential is")
    layers, named = layers_of(network.module), network.named(parameters)
    cut = 1 + next(index for index, (_, layer) in enumerate(layers) if list(layer.parameters()))

    def run(part: list[tuple[str, nn.Module]]) -> Callable[[Tensor], Tensor]:
        module, own = nn.Sequential(OrderedDict(part)), {name for name, _ in part}
        tensors = {name: tensor for name, tensor in named.items() if name.partition(".")[0] in own}
        return lambda inputs: functional_call(module, tensors, (inputs,), tie_weights=False)

    head = run(layers[:cut])
    return DividedModel(lambda inputs: head(network.normalize(inputs)), run(layers[cut:]))


def _held_loss(model: DividedModel, held: Tensor, inputs: Tensor) -> Tensor:
    """Return the loss as a linear function of the first layer's outputs."""
    return held * model.first(inputs)


@dataclass(frozen=True)
class Yopo:
    r"""Move each input up the learner's loss, with few passes through the whole model and many through its first layer.

    $$p = \nabla_{f_0} L, \quad x \leftarrow \Pi\left(x + \alpha\, e(\nabla_x \langle p, f_0(x) \rangle)\right)$$

    `outer` times, p is computed by one pass through the whole model and held for `inner` steps; $f_0$ is the first
    layer with parameters, after the normalization of inputs. The perturbation is scaled to the norm `epsilon`. The
    authors also train with the gradients of all passes; here the learner trains, on the perturbed examples.
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    outer: int = 5
    """m: passes through the whole model in each round."""
    inner: int = 3
    """n: steps after each of these passes."""
    norm: Norm = "l2"
    """The norm that is bounded, and in which steps are taken: Euclidean, or the largest change of a pixel."""
    paper: ClassVar[str] = (
        "Zhang et al., 2019, You only propagate once: accelerating adversarial training via maximal principle, NeurIPS"
    )
    cost: ClassVar[str] = "O(outer) gradients"
    assumption: ClassVar[str] = "what misleads the model of a round also misleads its training"

    def __post_init__(self) -> None:
        check_ascent("yopo", epsilon=self.epsilon, steps=self.outer * self.inner, norm=self.norm)
        at_least(1, "yopo", outer=self.outer, inner=self.inner)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        model = divide_model(view.network, view.parameters.detach())
        inputs = moved = view.batch.inputs
        step = REACH * self.epsilon / (self.outer * self.inner)
        for _ in range(self.outer):
            held = self._slope_behind_first_layer(view, model, moved)
            for _ in range(self.inner):
                slope = input_slope(partial(_held_loss, model, held), moved)
                ahead = moved + step * unit_rows(slope, self.norm)
                moved = bounded_inputs(inputs, ahead, epsilon=self.epsilon, norm=self.norm)
        return stretch(inputs, moved, epsilon=self.epsilon, norm=self.norm), memory

    def _slope_behind_first_layer(self, view: MinibatchView, model: DividedModel, inputs: Tensor) -> Tensor:
        examples = Batch(inputs, view.batch.labels)
        signals = model.first(inputs).detach()
        return input_slope(lambda moving: view.objective.losses(model.rest(moving), examples), signals)
