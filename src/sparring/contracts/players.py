"""The players: what each observes, and the one method that each kind of player implements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from sparring.arrays import Batch, Matrix, Vector, briefly
from sparring.contracts.models import Model, Network
from sparring.random import Generator

Memory = Mapping[str, Tensor]
"""A player's state between rounds; `{}` before the first round. It is never edited in place and is always finite."""

Family = Literal["coordinate", "distance", "root", "clipping", "filtering"]
"""How a rule selects: by coordinate, by Krum distances, by root data, around a center, or by filtering outliers."""

Count = int | Literal["sampled"]
"""A rule's own number of malicious rows; `sampled` is the true number in each round, known only to an oracle."""

Note = Callable[[str, Sequence[int]], None]
"""Records an event and the rows that it concerns, as in `view.note("clipped", rows)`."""


def unnoted(event: str, rows: Sequence[int]) -> None:
    """Discard the event."""


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
    network: Network
    note: Note = unnoted

    def __repr__(self) -> str:
        return briefly(self)


class ServerView(NamedTuple):
    """What the server knows of a round when it plans it, before any update arrives."""

    round: int
    parameters: Vector
    """The global model that the round begins with."""
    network: Network
    clients: tuple[int, ...]
    """The sampled clients."""
    root: Callable[[], Vector]
    """The server's own update, trained on its root data when called."""
    rng: Generator
    examples: Batch | None = None
    """The server's root data, images as bytes or with pixels in [0, 1]; None if it has none."""

    def __repr__(self) -> str:
        return briefly(self)


class Attack(Protocol):
    """A model poisoning attack: a malicious player that crafts updates."""

    @property
    def needs(self) -> type[BlackBoxView]:
        """The least informative view that the attack can work from."""

    def craft(self, view: OmniscientView) -> Matrix:
        """Return the `[malicious, parameters]` updates to submit, one row for each of `view.clients`."""


@runtime_checkable
class RememberingAttack(Attack, Protocol):
    """What an attack with a memory offers in addition; in a federation it takes the place of `craft`."""

    def craft_from(self, view: OmniscientView, memory: Memory) -> tuple[Matrix, Memory]:
        """Return the updates to submit, and the memory for the next round in which its clients are sampled.

        Every attacker has a memory of its own. `craft(view)` equals the updates of an empty memory.
        """


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


@runtime_checkable
class ImplantingAttack(Attack, Protocol):
    """What an attack offers in addition whose updates themselves may implant a backdoor, without a poison."""

    @property
    def backdoor(self) -> Backdoor | None:
        """The backdoor to measure; None if its updates implant none."""


class Defense(Protocol):
    """An aggregation rule; what it does not declare has the default of `RuleTraits`, a `limit` that of `limit_of`."""

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


class RoundPlan(NamedTuple):
    """What the server does in one round: its rule, and the repair of the model that the round ends with."""

    rule: Defense
    repair: Repair | None = None
    """None deploys the model unchanged."""


@runtime_checkable
class Server(Protocol):
    """A defense that plans the rule and the repair of every round; a fixed rule with a fixed repair is a case of it.

    A white-box attacker sees the planned rule.
    """

    def plan(self, view: ServerView, memory: Memory) -> tuple[RoundPlan, Memory]:
        """Return the plan of a round, and the memory for the next one."""

    def deployed(self, memory: Memory) -> Repair | None:
        """Return the repair that was planned in the round that left this memory; `{}` before the first round."""


@runtime_checkable
class Checking(Protocol):
    """What a repair that learns offers in addition: a check whether it can repair a model, without learning."""

    def check(self, model: Model, *, root: Batch | None) -> None:
        """Raise a ConfigError with the reason if this model cannot be repaired."""


class Backend(Protocol):
    """How the benign clients' local training is executed."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        """Write each client's update `parameters - trained` into its row of `out`, and return `out`.

        `batches` holds all minibatches: inputs `[clients, steps, examples, ...]`, labels `[clients, steps, examples]`.
        """
