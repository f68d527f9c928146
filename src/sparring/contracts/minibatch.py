"""Minibatch training under perturbation: what its two players see of a round, and what each of them returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from sparring.arrays import Batch, Vector, briefly
from sparring.contracts.models import Network
from sparring.contracts.players import Memory, Note, Poison, unnoted
from sparring.random import Generator


class Objective(Protocol):
    """The loss of each example, as a function of the network's outputs."""

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the `[examples]` losses of `[examples, classes]` outputs.

        They are differentiable in the outputs, and in `batch.inputs` if the targets move with the inputs.
        """


@dataclass(frozen=True)
class MinibatchView:
    """What a player sees of one round, in which the learner takes one step on one minibatch."""

    round: int
    network: Network
    parameters: Vector
    """The model at the start of the round; for an attacker without knowledge of it, that of its surrogate."""
    objective: Objective
    """The learner's."""
    batch: Batch
    """The minibatch: as it is for the attacker, as the attacker left it for the defender; floats in [0, 1]."""
    examples: Tensor | None
    """The index of each example among the training examples; None for the defender, who cannot recognize them."""
    eta: float
    """η: the learner's step is `eta` times the gradient of the summed loss, so its learning rate over the batch size.

    With Adam this is the size of a step without its moments.
    """
    validation: Batch
    """The validation examples that count in this round."""
    validation_gradient: Callable[[], Vector]
    """Returns the gradient of the learner's summed loss on `validation`, computed once a round for both players."""
    rng: Generator
    note: Note = unnoted
    """Records an event; the rows are indices into the minibatch."""

    __repr__ = briefly


class Perturbation(Protocol):
    """An attack on minibatches: it changes the inputs that the learner trains on, and never their labels."""

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        """Return the perturbed inputs, within [0, 1], and the memory for the next round."""


@runtime_checkable
class Targeted(Protocol):
    """What an attack offers in addition that may be about one class."""

    @property
    def target(self) -> int | None:
        """The class that other examples are to be taken for, or that is to be taken for others; None if untargeted."""


@runtime_checkable
class InformedPoison(Poison, Protocol):
    """What a data poisoning attack offers in addition that knows the global model; it takes the place of `poison`."""

    def poison_informed(self, view: MinibatchView) -> Batch:
        """Return what the client trains on in place of `view.batch`, one minibatch of one of its local steps.

        `view.parameters` are those of the global model, and `view.validation` are all the examples of the client.
        """


class Purified(NamedTuple):
    """What the learner trains on: a minibatch, and the network to train if it is not the learner's own."""

    batch: Batch
    """The labels may be mixed: `[examples, classes]` floats."""
    network: Network | None = None
    """A network with the same parameters, such as one in which units are dropped."""


class Purification(Protocol):
    """A defense of minibatches: it changes what the learner trains on."""

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        """Return what the learner trains on, and the memory for the next round."""


class MinibatchRecipe(NamedTuple):
    """How the learner trains: `epochs` passes over the training examples in minibatches of `batch`."""

    epochs: int = 20
    batch: int = 100
    optimizer: str = "adam"
    """`adam` or `sgd`."""
    lr: float = 8e-4


class Preparation(NamedTuple):
    """What a player may learn from before the first round."""

    network: Network
    parameters: Vector
    """The initial model."""
    objective: Objective
    train: Batch | None
    """The training examples, floats in [0, 1]; None for the defender, who sees what the attacker leaves of them."""
    validation: Batch
    """All validation examples."""
    recipe: MinibatchRecipe
    rng: Generator


@runtime_checkable
class Preparing(Protocol):
    """What a player of minibatch training offers in addition that learns before the first round."""

    def prepare(self, preparation: Preparation) -> Memory:
        """Return the memory to begin with, such as the parameters of a generative model."""


class InputDenoiser(Protocol):
    """A generative model that moves perturbed inputs towards what it learned from clean examples."""

    def fit(self, examples: Batch, rng: Generator) -> Memory:
        """Learn from examples, floats in [0, 1], and return the model's tensors."""

    def denoise(self, memory: Memory, inputs: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        """Return the model's inputs in place of the given ones."""
