"""The contracts: what each player observes, and the one method that each kind of player implements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from sparring.arrays import PUBLISHED, Batch, FloatArray, KrumScore, Matrix, Vector, briefly, pixels
from sparring.errors import ConfigError
from sparring.named_tensors import fill, normalization, read_named, write_named
from sparring.random import Generator
from sparring.snapshot import Codec
from sparring.validation import check_kind, check_network

Memory = Mapping[str, Tensor]
"""A rule's state between rounds; `{}` before the first round. It is never edited in place and is always finite."""

Family = Literal["coordinate", "distance", "root", "clipping", "filtering"]
"""How a rule selects: by coordinate, by Krum distances, by root data, around a center, or by filtering outliers."""

Count = int | Literal["sampled"]
"""A rule's own number of malicious rows; `sampled` is the true number in each round, known only to an oracle."""

Note = Callable[[str, Sequence[int]], None]
"""Records an event and the rows that it concerns, as in `view.note("clipped", rows)`."""


def unnoted(event: str, rows: Sequence[int]) -> None:
    """Discard the event."""


class Network(Protocol):
    """A model as a function of one flat float32 parameter vector of length `size`."""

    @property
    def size(self) -> int:
        """Number of parameters."""

    @property
    def layers(self) -> Mapping[str, slice]:
        """The coordinates of each layer's parameters, first layer first."""

    def initial(self, rng: Generator) -> Vector:
        """Draw the initial parameters of training."""

    def split(self, parameters: Vector) -> tuple[Tensor, ...]:
        """View the vector as the model's parameter tensors."""

    def to(self, device: torch.device | str) -> "Network":
        """Return the same network with its own tensors moved to a device."""

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        """View the vector as the model's named tensors, including those that are not parameters, such as buffers."""

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits of inputs whose pixels lie in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its parameters."""

    network: Network
    parameters: Vector

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_network("model.network", self.network)
        check_kind(
            "model.parameters", self.parameters, kind=Tensor, remedy="give a vector, such as network.initial(rng)"
        )

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits of byte images or of inputs in [0, 1]."""
        return self.network.forward(self.network.split(self.parameters), pixels(inputs))

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of the tensors under their torch names, as `load_state_dict` of the torch module expects."""
        return {name: tensor.clone() for name, tensor in self.network.named(self.parameters).items()}

    def save(self, path: str | Path) -> None:
        """Write the tensors to one file in the safetensors format."""
        write_named(path, self.state_dict(), facts=normalization(self.network))

    @classmethod
    def load(cls, path: str | Path, network: Network) -> "Model":
        """Return the model that `save`, or other software using the same tensor names, wrote to `path`.

        `network` must be fitted to the same data as the network of the saved model.
        """
        check_network("load: network", network)
        tensors, facts = read_named(path)
        if facts and normalization(network) and facts != normalization(network):
            raise ConfigError(f"{path} is of a model with {facts}; this network has {normalization(network)}")
        parameters = torch.empty(network.size)
        fill(parameters, network.named(parameters), tensors=tensors, path=path)
        return cls(network, parameters)


def check_model(label: str, value: object) -> None:
    """Reject a value that is not a model."""
    check_kind(label, value, kind=Model, remedy="give a Model, such as result.model or Model(network, parameters)")


class Shards(Protocol):
    """The assignment of examples to clients."""

    def __getitem__(self, client: int) -> Batch:
        """Return all the examples of one client."""

    def draw(self, clients: Sequence[int], rngs: Sequence[Generator], *, steps: int, size: int) -> Batch:
        """Draw `steps` minibatches per client, each from its own generator: inputs `[clients, steps, size, ...]`.

        A minibatch is drawn without replacement, unless it is larger than the shard.
        """

    def shared(self, size: int) -> "Shards":
        """Return shards that all hold the same `size` examples, spaced evenly over all readable examples."""


class Recipe(NamedTuple):
    """How a client trains: `steps` minibatches of `batch` examples at learning rate `lr`."""

    steps: int = 1
    batch: int = 32
    lr: float = 0.05


class Own(Protocol):
    """Local training of an attacker's clients, on poisoned data if there is a data poisoning attack."""

    def __call__(self, project: Callable[[Vector], Vector] | None = None) -> Matrix:
        """Return the `[malicious, parameters]` updates, each passed through `project` after every local step."""


@dataclass(frozen=True)
class BlackBoxView:
    """What every attacker knows: its own clients, their shards and the current global model."""

    round: int
    parameters: Vector
    previous: Vector | None
    """The global model of the previous round; None in the first round."""
    clients: tuple[int, ...]
    """The sampled clients that this attacker controls; it submits one update for each."""
    sampled: int
    """Number of clients in this round, including the benign ones."""
    network: Network
    shards: Shards
    """The shards of the attacker's own clients; access to other clients is rejected."""
    recipe: Recipe
    """The local training settings of the attacker's clients."""
    own: Own
    """Runs the clients' local training and returns their updates."""
    rng: Generator
    note: Note
    """Records an event; the rows are indices into `clients`."""

    __repr__ = briefly


@dataclass(frozen=True)
class WhiteBoxView(BlackBoxView):
    """A black-box view plus the server's aggregation rule with its settings."""

    rule: "Defense"
    assumed_malicious: int
    """Number of malicious updates that the server passes to the rule; the rule may have its own count instead.

    It is the number that the threat model assumes, or the true number if the rule is an oracle.
    """

    __repr__ = briefly


@dataclass(frozen=True)
class OmniscientView(WhiteBoxView):
    """A white-box view plus everything that is submitted in this round."""

    benign: Matrix
    """The `[benign, parameters]` updates of this round's benign clients."""
    benign_clients: tuple[int, ...]
    """The client id of each benign row."""
    memory: Memory
    """The rule's memory at the start of this round."""
    root: Callable[[], Vector]
    """The server's own update, trained on its root data."""
    allied: Matrix
    """Updates of the attackers that craft earlier in this round, if one adversary controls them all; else no rows."""
    allied_clients: tuple[int, ...]
    """The client id of each allied row."""

    __repr__ = briefly


class DefenderView(NamedTuple):
    """Everything that the server sees of one round."""

    round: int
    parameters: Vector
    updates: Matrix
    """One finite row per client, at least one; the server drops rows with NaN or infinity before aggregation."""
    clients: tuple[int, ...]
    malicious: int
    """Number of rows that the threat model assumes to be malicious; the true number if the rule is an oracle.

    In a round with few rows it may exceed what the rule supports.
    """
    root: Callable[[], Vector]
    """The server's own update, trained on its root data when called."""
    rng: Generator
    note: Note = unnoted

    def __repr__(self) -> str:
        return briefly(self)


class Attack(Protocol):
    """A model poisoning attack: a malicious player that crafts updates."""

    @property
    def needs(self) -> type[BlackBoxView]:
        """The least informative view that the attack can work from."""

    def craft(self, view: OmniscientView) -> Matrix:
        """Return the `[malicious, parameters]` updates to submit, one row for each of `view.clients`."""


class Poison(Protocol):
    """A data poisoning attack: a malicious player that changes training data."""

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        """Return the batch that the malicious `client` trains on in place of `batch`."""


class Trigger(Protocol):
    """An image change that makes a backdoored model predict the target class."""

    def stamp(self, images: Tensor) -> Tensor:
        """Return `[examples, channels, height, width]` images, pixels in [0, 1], with the trigger applied to each."""


@runtime_checkable
class Backdoor(Protocol):
    """What a backdoor poison offers in addition: its target class and its triggered images."""

    @property
    def target(self) -> int:
        """The class that the model should predict for images with the trigger."""

    def meant(self, labels: Tensor) -> Tensor:
        """Return a boolean per label: whether the trigger applies to this class; never to the target class."""

    def triggered(self, batch: Batch) -> Batch:
        """Return every image with the trigger, pixels in [0, 1], labeled with the target class."""


class Defense(Protocol):
    """An aggregation rule; without `family` or `limit` it has the defaults of `family_of` and `limit_of`."""

    @property
    def family(self) -> Family:
        """How the rule selects, for attacks that adapt to it."""

    def limit(self, clients: int) -> int:
        """Return the largest number of malicious rows among `clients` that the rule can be configured to tolerate."""

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        """Return the update for the server to apply, and the memory for the next round."""


class Repair(Protocol):
    """A post-training defense: a change of the trained model before deployment."""

    @property
    def needs_root(self) -> bool:
        """Whether it uses the server's root data."""

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        """Return the model to deploy; training continues from `model`, which must not be changed."""


@runtime_checkable
class Checking(Protocol):
    """What a repair that learns offers in addition: a check whether it can repair a model, without learning."""

    def check(self, model: Model, *, root: Batch | None) -> None:
        """Raise a ConfigError with the reason if this model cannot be repaired."""


def own_malicious(rule: Defense) -> Count | None:
    """Return the malicious count configured in a rule or in the rule it wraps; None means the server's count."""
    count: Count | None = getattr(rule, "malicious", None)
    inner: Defense | None = getattr(rule, "inner", None)
    return own_malicious(inner) if count is None and inner is not None else count


def is_oracle(rule: Defense) -> bool:
    """Say whether a rule, or the rule it wraps, is given the true number of malicious rows of each round."""
    inner: Defense | None = getattr(rule, "inner", None)
    return getattr(rule, "malicious", None) == "sampled" or (inner is not None and is_oracle(inner))


def krum_score(rule: Defense) -> KrumScore:
    """Return the form of Krum's score that a rule or the rule it wraps declares; the published form by default."""
    own: KrumScore | None = getattr(rule, "krum_score", None)
    inner: Defense | None = getattr(rule, "inner", None)
    if own is not None:
        return own
    return PUBLISHED if inner is None else krum_score(inner)


def family_of(rule: Defense) -> Family:
    """Return a rule's family; a rule that does not declare one counts as coordinate-wise."""
    family: Family = getattr(rule, "family", "coordinate")
    return family


def limit_of(rule: Defense, clients: int) -> int:
    """Return how many malicious rows among `clients` a rule can be configured to tolerate; all if it has no limit."""
    return rule.limit(clients) if hasattr(rule, "limit") else clients


class Backend(Protocol):
    """How the benign clients' local training is executed."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        """Write each client's update `parameters - trained` into its row of `out`, and return `out`.

        `batches` holds all minibatches: inputs `[clients, steps, examples, ...]`, labels `[clients, steps, examples]`.
        """


class Policy(Protocol):
    """A learned player's decision function; its actions are numbers in [-1, 1], whatever their meaning."""

    def act(self, observation: FloatArray) -> FloatArray:
        """Return the action for one observation; neither array is modified afterwards."""


class Space(NamedTuple):
    """The dimensions of a seat's observation and action."""

    observation: int
    action: int
    is_scaled: bool = True
    """Whether observations lie in [-1, 1]; otherwise they are only finite."""


State = TypeVar("State")
Ended = TypeVar("Ended", contravariant=True)


class Game(Protocol[State]):
    """A Markov game; its state is small, frozen, and holds everything that the next state depends on."""

    @property
    def seats(self) -> Mapping[str, Space]:
        """The learning players by name, each with its spaces."""

    def initial(self, rng: Generator) -> State:
        """Draw the initial state of an episode."""

    def observe(self, state: State, seat: str) -> FloatArray:
        """Return a seat's observation of a state."""

    def transition(self, state: State, actions: Mapping[str, FloatArray], *, rng: Generator) -> State:
        """Draw the next state given the actions of all seats, each number clipped to [-1, 1]."""

    def reward(self, before: State, after: State, *, seat: str) -> float:
        """Return a seat's reward for a transition."""

    def is_over(self, state: State) -> bool:
        """Say whether the episode has ended."""

    @property
    def codec(self) -> "Codec[State]":
        """How a state is saved to disk and restored."""


@runtime_checkable
class Truncating(Protocol[Ended]):
    """What a game with a horizon offers in addition."""

    def is_truncated(self, state: Ended) -> bool:
        """Say whether the episode ended in `state` only because of the horizon."""
