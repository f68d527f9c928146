"""What each player sees, and the one verb that each speaks."""

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
"""What a rule carries from round to round; `{}` before the first. Never edited in place, always finite."""

Family = Literal["coordinate", "distance", "root", "clipping", "filtering"]
"""How a rule chooses: by coordinate, by Krum's distances, by root data, around a center, or by filtering outliers."""

Count = int | Literal["sampled"]
"""A rule's own number of malicious rows; `sampled` is the true number in each round, which only an oracle can know."""

Note = Callable[[str, Sequence[int]], None]
"""Tells the round's record which rows something happened to, as in `view.note("clipped", rows)`."""


def unnoted(event: str, rows: Sequence[int]) -> None:
    """Keep no record."""


class Network(Protocol):
    """A model as a function of one flat float32 parameter vector of length `size`."""

    @property
    def size(self) -> int:
        """Number of parameters."""

    @property
    def layers(self) -> Mapping[str, slice]:
        """The coordinates of each layer's parameters, first layer first."""

    def initial(self, rng: Generator) -> Vector:
        """Draw the parameters that training starts from."""

    def split(self, parameters: Vector) -> tuple[Tensor, ...]:
        """View the vector as the model's parameter tensors."""

    def to(self, device: torch.device | str) -> "Network":
        """Return the same network with the tensors that it holds on a device."""

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        """View the vector as the model's tensors, by their names; those that are no parameters stand among them."""

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
        """Return the `[examples, classes]` logits of images of bytes, or of inputs in [0, 1]."""
        return self.network.forward(self.network.split(self.parameters), pixels(inputs))

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of the tensors by their names in the torch module, whose `load_state_dict` takes them."""
        return {name: tensor.clone() for name, tensor in self.network.named(self.parameters).items()}

    def save(self, path: str | Path) -> None:
        """Write the tensors into one file in the safetensors format."""
        write_named(path, self.state_dict(), facts=normalization(self.network))

    @classmethod
    def load(cls, path: str | Path, network: Network) -> "Model":
        """Return the model that `save` wrote, or that other software wrote under the same names.

        `network` is fitted to the same data as the one that was saved.
        """
        check_network("load: network", network)
        tensors, facts = read_named(path)
        if facts and normalization(network) and facts != normalization(network):
            raise ConfigError(f"{path} is of a model with {facts}; this network has {normalization(network)}")
        parameters = torch.empty(network.size)
        fill(parameters, network.named(parameters), tensors=tensors, path=path)
        return cls(network, parameters)


def check_model(label: str, value: object) -> None:
    """Refuse what is no model."""
    check_kind(label, value, kind=Model, remedy="give a Model, such as result.model or Model(network, parameters)")


class Shards(Protocol):
    """Who holds which examples."""

    def __getitem__(self, client: int) -> Batch:
        """Return all the examples of one client."""

    def draw(self, clients: Sequence[int], rngs: Sequence[Generator], *, steps: int, size: int) -> Batch:
        """Draw each client `steps` minibatches from its own generator: inputs `[clients, steps, size, ...]`.

        A minibatch is drawn without replacement, unless it is larger than the shard.
        """

    def shared(self, size: int) -> "Shards":
        """Return shards of which each has the same `size` examples, evenly spread over all that may be read."""


class Recipe(NamedTuple):
    """How a client trains: `steps` minibatches of `batch` examples at learning rate `lr`."""

    steps: int = 1
    batch: int = 32
    lr: float = 0.05


class Own(Protocol):
    """The training of an attacker's clients, on poisoned data if there is a poison."""

    def __call__(self, project: Callable[[Vector], Vector] | None = None) -> Matrix:
        """Return the `[malicious, parameters]` updates, each passed through `project` after every local step."""


@dataclass(frozen=True)
class BlackBoxView:
    """What every attacker knows: its own clients, their shards and the global model it was sent."""

    round: int
    parameters: Vector
    previous: Vector | None
    """The global model of the round before; none in the first round."""
    clients: tuple[int, ...]
    """The sampled clients that this attacker plays: it submits one update for each."""
    sampled: int
    """Number of clients in this round, benign ones included."""
    network: Network
    shards: Shards
    """The shards of the attacker's own clients; others are refused."""
    recipe: Recipe
    """How the attacker's clients train."""
    own: Own
    """What the clients' training gives."""
    rng: Generator
    note: Note
    """Tells the record of an event, the rows being places in `clients`."""

    __repr__ = briefly


@dataclass(frozen=True)
class WhiteBoxView(BlackBoxView):
    """A black-box view and the server's rule with its settings."""

    rule: "Defense"
    assumed_malicious: int
    """How many malicious updates the server tells the rule to expect; the rule may have a count of its own.

    It is what the threat model assumes, or the true number if the rule is an oracle.
    """

    __repr__ = briefly


@dataclass(frozen=True)
class OmniscientView(WhiteBoxView):
    """A white-box view and everything that is sent in this round."""

    benign: Matrix
    """The `[benign, parameters]` updates of this round's benign clients."""
    benign_clients: tuple[int, ...]
    """The client of each benign row."""
    memory: Memory
    """What the rule carries into this round."""
    root: Callable[[], Vector]
    """The server's own update on its root data."""
    allied: Matrix
    """What the attackers that craft earlier send in this round, if one mastermind controls them all; else no rows."""
    allied_clients: tuple[int, ...]
    """The client of each allied row."""

    __repr__ = briefly


class DefenderView(NamedTuple):
    """All that a server sees of one round."""

    round: int
    parameters: Vector
    updates: Matrix
    """One row for each client, at least one, every value finite: the server drops other rows before it asks."""
    clients: tuple[int, ...]
    malicious: int
    """How many of the rows the threat model assumes to be malicious; the true number if the rule is an oracle.

    In a round with few rows it may be more than the rule can take.
    """
    root: Callable[[], Vector]
    """The server's own update on its root data, computed when called."""
    rng: Generator
    note: Note = unnoted

    def __repr__(self) -> str:
        return briefly(self)


class Attack(Protocol):
    """A malicious player of updates."""

    @property
    def needs(self) -> type[BlackBoxView]:
        """The least view that it can play from."""

    def craft(self, view: OmniscientView) -> Matrix:
        """Return the `[malicious, parameters]` updates to submit, one row for each of `view.clients`."""


class Poison(Protocol):
    """A malicious player of data."""

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        """Return the batch that the malicious `client` trains on instead."""


class Trigger(Protocol):
    """A change of images by which a backdoored model is told to answer with the target class."""

    def stamp(self, images: Tensor) -> Tensor:
        """Return `[examples, channels, height, width]` images, pixels in [0, 1], with the trigger on each."""


@runtime_checkable
class Backdoor(Protocol):
    """What else a poison tells whose aim is a target class wherever its trigger shows."""

    @property
    def target(self) -> int:
        """The class that images with the trigger shall be taken for."""

    def meant(self, labels: Tensor) -> Tensor:
        """Return, as a boolean a label, whose images the trigger is meant for; never those of the target class."""

    def triggered(self, batch: Batch) -> Batch:
        """Return every image, pixels in [0, 1], with the trigger, labeled with the target."""


class Defense(Protocol):
    """An aggregation rule; one without `family` or `limit` has the defaults of `family_of` and `limit_of`."""

    @property
    def family(self) -> Family:
        """How the rule chooses, for attacks that choose their form by it."""

    def limit(self, clients: int) -> int:
        """Return the largest number of malicious rows among `clients` that the rule can be set to survive."""

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        """Return one update for the server to apply, and the memory for the next round."""


class Repair(Protocol):
    """A post-training defense: what is done to a trained model before it is used."""

    @property
    def needs_root(self) -> bool:
        """Whether it learns from the server's root data."""

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        """Return the model to use; training goes on from `model`, which stays as it is."""


@runtime_checkable
class Checking(Protocol):
    """What else a repair tells that learns something: whether it could, without learning it."""

    def check(self, model: Model, *, root: Batch | None) -> None:
        """Raise a ConfigError that says why, if this model cannot be repaired."""


def own_malicious(rule: Defense) -> Count | None:
    """Return the malicious count that a rule, or else the one it wraps, was set to; None takes the server's."""
    told: Count | None = getattr(rule, "malicious", None)
    inner: Defense | None = getattr(rule, "inner", None)
    return own_malicious(inner) if told is None and inner is not None else told


def is_oracle(rule: Defense) -> bool:
    """Say whether a rule, or one that it wraps, is set to the true number of malicious rows of each round."""
    inner: Defense | None = getattr(rule, "inner", None)
    return getattr(rule, "malicious", None) == "sampled" or (inner is not None and is_oracle(inner))


def krum_score(rule: Defense) -> KrumScore:
    """Return the form of Krum's score that a rule, or else the one it wraps, says it uses; by default the published."""
    own: KrumScore | None = getattr(rule, "krum_score", None)
    inner: Defense | None = getattr(rule, "inner", None)
    if own is not None:
        return own
    return PUBLISHED if inner is None else krum_score(inner)


def family_of(rule: Defense) -> Family:
    """Return a rule's family; one that does not name any counts as a rule by coordinate."""
    family: Family = getattr(rule, "family", "coordinate")
    return family


def limit_of(rule: Defense, clients: int) -> int:
    """Return how many malicious rows among `clients` a rule can be set to survive; where it does not say, all."""
    return rule.limit(clients) if hasattr(rule, "limit") else clients


class Backend(Protocol):
    """Where the benign clients' training happens."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        """Write each client's update `parameters - trained` into its row of `out`, and return `out`.

        `batches` holds all minibatches: inputs `[clients, steps, examples, ...]`, labels `[clients, steps, examples]`.
        """


class Policy(Protocol):
    """How a player that has learned plays: its actions are numbers in [-1, 1], whatever they stand for."""

    def act(self, observation: FloatArray) -> FloatArray:
        """Return the action for one observation; neither is edited."""


class Space(NamedTuple):
    """How many numbers a seat sees, and how many it answers with."""

    observation: int
    action: int
    is_scaled: bool = True
    """Whether what it sees lies in [-1, 1]; else it is finite."""


State = TypeVar("State")
Ended = TypeVar("Ended", contravariant=True)


class Game(Protocol[State]):
    """Who moves, who sees what, and who wins; a state is small, frozen, and everything that the next one depends on."""

    @property
    def seats(self) -> Mapping[str, Space]:
        """The players, by name, that answer with actions."""

    def initial(self, rng: Generator) -> State:
        """Draw the state that an episode starts from."""

    def observe(self, state: State, seat: str) -> FloatArray:
        """Return what a seat sees of a state."""

    def transition(self, state: State, actions: Mapping[str, FloatArray], *, rng: Generator) -> State:
        """Draw the next state after the actions of all seats, each number of which is cut off at -1 and 1."""

    def reward(self, before: State, after: State, *, seat: str) -> float:
        """Return what a seat gains by a transition."""

    def is_over(self, state: State) -> bool:
        """Say whether nobody moves any more."""

    @property
    def codec(self) -> "Codec[State]":
        """How a state is written to disk."""


@runtime_checkable
class Truncating(Protocol[Ended]):
    """What else a game tells that has a horizon."""

    def is_truncated(self, state: Ended) -> bool:
        """Say of a state in which the game is over whether it is only the horizon that ends it."""
