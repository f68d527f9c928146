"""The settings of a run, one class per section; defaults are defined here and in the referenced classes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

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
    partition: Section
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the training examples that is reserved for validation."""
    root_size: Annotated[int, Field(ge=0, le=EXAMPLES)] = 100
    """The number of examples in the server's root data."""
    root_bias: Annotated[float, Field(ge=0, le=1)] | None = None
    """The share of the first class in the root data; null draws all classes uniformly."""


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """The clients, the rounds, and the training recipe."""

    clients: Annotated[int, Field(ge=1, le=CLIENTS)] = 50
    sampled: Annotated[int, Field(ge=1, le=CLIENTS)] = Federation.sampled
    rounds: Annotated[int, Field(ge=1, le=ROUNDS)] = 200
    batch: Annotated[int, Field(ge=1, le=EXAMPLES)] = RECIPE.batch
    local_steps: Annotated[int, Field(ge=1, le=EXAMPLES)] = RECIPE.steps
    lr: Annotated[float, Field(gt=0)] = RECIPE.lr
    server_lr: Annotated[float, Field(gt=0)] = Federation.server_lr
    momentum: Annotated[float, Field(ge=0, lt=1)] = Federation.momentum


@dataclass(frozen=True, kw_only=True)
class AttackerSettings:
    """One attacker: its attack, its number of clients, and its first round."""

    member: Section
    malicious: Annotated[int, Field(ge=0, le=CLIENTS)]
    start: Annotated[int, Field(ge=0, le=ROUNDS)] = 0
    local_steps: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    """This key and those below override the federation's training recipe for the attacker's clients."""
    local_epochs: Annotated[float, Field(gt=0, le=EXAMPLES)] | None = None
    """The number of passes over a client's shard in a round, instead of a number of steps."""
    batch: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    lr: Annotated[float, Field(gt=0)] | None = None


@dataclass(frozen=True, kw_only=True)
class ThreatSettings:
    """The knowledge of the attackers, and the share of malicious clients that the rules assume."""

    knowledge: Knowledge = Threat.knowledge
    mastermind: bool = Threat.mastermind
    """Whether all attackers cooperate: each sees the updates of those before it in the list."""
    assumed_malicious: Annotated[float, Field(ge=0, le=1)] = Threat.assumed_malicious


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """When and on which examples the global model is evaluated."""

    every: Annotated[int, Field(ge=1, le=ROUNDS)] = 10
    on: Literal["test", "validation"] = "test"


@dataclass(frozen=True, kw_only=True)
class ExecutionSettings:
    """How a run is computed; this changes results by rounding errors at most."""

    backend: str = "auto"
    threads: Annotated[int, Field(ge=1, le=THREADS)] = 1
    device: Literal["cpu", "cuda"] = "cpu"
    """The device that holds the tensors and computes with them."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The complete configuration of a run, with every default filled in."""

    seed: Seed = 0
    data: DataSettings
    model: Section
    federation: FederationSettings = FederationSettings()
    attacks: tuple[AttackerSettings, ...] = ()
    defense: Section
    post_training: Section
    threat: ThreatSettings = ThreatSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    files: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of the contents of each named file and folder, by its name in the configuration."""

    @property
    def has_oracle(self) -> bool:
        """Whether the rule, or a rule within it, receives the true number of malicious updates in each round."""
        return _is_oracle(self.defense)


def _is_oracle(section: Section) -> bool:
    inner = [value for value in section.values() if isinstance(value, Mapping)]
    return section.get("malicious") == "sampled" or any(map(_is_oracle, inner))
