"""The settings of a run, one class per section; defaults are defined here and in the referenced classes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sparring.contracts import Recipe
from sparring.experiments.config.sections import Section
from sparring.federation import Federation, Knowledge, Threat

CLIENTS = 10**6
ROUNDS = 10**7
EXAMPLES = 10**9
THREADS = 1024

Seed = Annotated[int, Field(ge=0)]

RECIPE = Recipe()


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """The data set, its division among the clients, and the server's root data."""

    member: Section
    """The data set."""
    partition: Section
    """How the training examples are divided among the clients."""
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the training examples held out for `evaluation.on: validation` and for the `select` of a sweep."""
    root_size: Annotated[int, Field(ge=0, le=EXAMPLES)] = 100
    """The number of training examples that the server holds; they matter to rules and repairs that need root data."""
    root_bias: Annotated[float, Field(ge=0, le=1)] | None = None
    """The share of the first class among the root data; null draws them at random."""


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """The clients, the rounds, and the training recipe."""

    clients: Annotated[int, Field(ge=1, le=CLIENTS)] = 50
    """The number of clients that hold data."""
    sampled: Annotated[int, Field(ge=1, le=CLIENTS)] = Federation.sampled
    """The number of clients that the server draws in each round, without replacement."""
    rounds: Annotated[int, Field(ge=1, le=ROUNDS)] = 200
    """The number of rounds."""
    batch: Annotated[int, Field(ge=1, le=EXAMPLES)] = RECIPE.batch
    """The number of examples in a client's minibatch."""
    local_steps: Annotated[int, Field(ge=1, le=EXAMPLES)] = RECIPE.steps
    """The number of steps of stochastic gradient descent that a client takes in a round."""
    lr: Annotated[float, Field(gt=0)] = RECIPE.lr
    """The clients' learning rate."""
    server_lr: Annotated[float, Field(gt=0)] = Federation.server_lr
    """The factor of the aggregated update in the server's step."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = Federation.momentum
    """The momentum of benign clients: 0 sends the update itself, more sends its moving average."""


@dataclass(frozen=True, kw_only=True)
class AttackerSettings:
    """One attacker: its attack, its number of clients, and its first round."""

    member: Section
    """The attack."""
    malicious: Annotated[int, Field(ge=0, le=CLIENTS)]
    """The number of clients that the attacker controls; 0 is no attacker."""
    start: Annotated[int, Field(ge=0, le=ROUNDS)] = 0
    """The first round in which its clients attack; they train honestly before."""
    local_steps: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    """The number of local steps of its clients; null takes that of the federation."""
    local_epochs: Annotated[float, Field(gt=0, le=EXAMPLES)] | None = None
    """The number of passes of its clients over their shards in a round, in place of `local_steps`."""
    batch: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    """The minibatch size of its clients; null takes that of the federation."""
    lr: Annotated[float, Field(gt=0)] | None = None
    """The learning rate of its clients; null takes that of the federation."""


@dataclass(frozen=True, kw_only=True)
class ThreatSettings:
    """The knowledge of the attackers, and the share of malicious clients that the rules assume."""

    knowledge: Knowledge = Threat.knowledge
    """What attackers may see at most; an attack that needs more is rejected."""
    mastermind: bool = Threat.mastermind
    """Whether one adversary controls all attackers: each sees the updates of those before it in the list."""
    assumed_malicious: Annotated[float, Field(ge=0, le=1)] = Threat.assumed_malicious
    """The share of malicious updates in a round that every rule assumes, whatever the true share is."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """When and on which examples the global model is evaluated."""

    every: Annotated[int, Field(ge=1, le=ROUNDS)] = 10
    """The number of rounds from one evaluation to the next; the last round is always evaluated."""
    on: Literal["test", "validation"] = "test"
    """The examples to evaluate on; `validation` needs `data.validation` above 0."""


@dataclass(frozen=True, kw_only=True)
class ExecutionSettings:
    """How a run is computed; this changes results by rounding errors at most."""

    backend: str = "auto"
    """How the updates of many clients are computed."""
    threads: Annotated[int, Field(ge=1, le=THREADS)] = 1
    """The number of threads of a run."""
    device: Literal["cpu", "cuda"] = "cpu"
    """The device that holds the tensors and computes."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The complete configuration of a run of a federation, with every default filled in."""

    kind: ClassVar[str] = "federated"
    seed: Seed = 0
    """The seed of everything random in the run."""
    data: DataSettings
    model: Section
    """The network that the clients train."""
    federation: FederationSettings = field(default_factory=FederationSettings)
    attacks: tuple[AttackerSettings, ...] = ()
    defense: Section
    """The rule by which the server aggregates the updates."""
    post_training: Section
    """The defense that changes the model after training."""
    threat: ThreatSettings = ThreatSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    files: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of the contents of each named file and folder, by its name in the configuration."""

    @property
    def has_oracle(self) -> bool:
        """Whether the rule, or a rule within it, receives the true number of malicious updates in each round."""
        return _is_oracle(self.defense)

    def members(self) -> Iterator[tuple[str, Section]]:
        """Yield the catalogue and the section of every member that is named."""
        yield "datasets", self.data.member
        yield "partitions", self.data.partition
        yield "models", self.model
        yield "defenses", self.defense
        yield "post-training", self.post_training
        for attacker in self.attacks:
            yield "attacks", attacker.member


def _is_oracle(section: Section) -> bool:
    inner = [value for value in section.values() if isinstance(value, Mapping)]
    return section.get("malicious") == "sampled" or any(map(_is_oracle, inner))


SINCE: Mapping[str, str] = {
    "seed": "0.2.0",
    "data.name": "0.2.0",
    "data.partition": "0.2.0",
    "data.validation": "0.2.0",
    "data.root_size": "0.2.0",
    "data.root_bias": "0.2.0",
    "model": "0.2.0",
    "federation.clients": "0.2.0",
    "federation.sampled": "0.2.0",
    "federation.rounds": "0.2.0",
    "federation.batch": "0.2.0",
    "federation.local_steps": "0.2.0",
    "federation.lr": "0.2.0",
    "federation.server_lr": "0.2.0",
    "federation.momentum": "0.2.0",
    "attacks.name": "0.2.0",
    "attacks.malicious": "0.2.0",
    "attacks.start": "0.2.0",
    "attacks.local_steps": "0.2.0",
    "attacks.local_epochs": "0.2.0",
    "attacks.batch": "0.2.0",
    "attacks.lr": "0.2.0",
    "defense": "0.2.0",
    "post_training": "0.2.0",
    "threat.knowledge": "0.2.0",
    "threat.mastermind": "0.2.0",
    "threat.assumed_malicious": "0.2.0",
    "evaluation.every": "0.2.0",
    "evaluation.on": "0.2.0",
    "execution.backend": "0.2.0",
    "execution.threads": "0.2.0",
    "execution.device": "0.2.0",
}
"""The version in which each key began to matter."""
