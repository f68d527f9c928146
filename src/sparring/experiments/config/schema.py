"""The settings of a run, one class a section; their defaults live here and in the classes that they name."""

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
    """Which examples there are, and who holds them."""

    member: Section
    partition: Section
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the training examples that is held back to validate on."""
    root_size: Annotated[int, Field(ge=0, le=EXAMPLES)] = 100
    """How many examples the server holds itself."""
    root_bias: Annotated[float, Field(ge=0, le=1)] | None = None
    """The share of the first class among them; null draws them without preference."""


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """How clients and server train together."""

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
    """One attacker: what it plays, through how many clients, from which round on."""

    member: Section
    malicious: Annotated[int, Field(ge=0, le=CLIENTS)]
    start: Annotated[int, Field(ge=0, le=ROUNDS)] = 0
    local_steps: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    """Here and below, how its clients train where that is not as the federation says."""
    local_epochs: Annotated[float, Field(gt=0, le=EXAMPLES)] | None = None
    """How often a client goes through its shard in a round, in place of a number of steps."""
    batch: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    lr: Annotated[float, Field(gt=0)] | None = None


@dataclass(frozen=True, kw_only=True)
class ThreatSettings:
    """What attackers may know, and what the rules reckon with."""

    knowledge: Knowledge = Threat.knowledge
    mastermind: bool = Threat.mastermind
    """Whether all attackers are one, so that those further down the list see what the others send."""
    assumed_malicious: Annotated[float, Field(ge=0, le=1)] = Threat.assumed_malicious


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """When and on which examples the global model is measured."""

    every: Annotated[int, Field(ge=1, le=ROUNDS)] = 10
    on: Literal["test", "validation"] = "test"


@dataclass(frozen=True, kw_only=True)
class ExecutionSettings:
    """How a run is computed, which changes results by rounding at most."""

    backend: str = "auto"
    threads: Annotated[int, Field(ge=1, le=THREADS)] = 1
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the tensors lie, and what is computed with them."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that is settled about a run, with nothing left to defaults."""

    seed: Seed = 0
    data: DataSettings
    model: Section
    federation: FederationSettings = field(default_factory=FederationSettings)
    attacks: tuple[AttackerSettings, ...] = ()
    defense: Section
    post_training: Section
    threat: ThreatSettings = ThreatSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    files: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of what each file and folder holds that is named, by how it is written."""

    @property
    def has_oracle(self) -> bool:
        """Whether the rule, or one within it, is told how many updates of each round are malicious."""
        return _is_oracle(self.defense)


def _is_oracle(section: Section) -> bool:
    inner = [value for value in section.values() if isinstance(value, Mapping)]
    return section.get("malicious") == "sampled" or any(map(_is_oracle, inner))
