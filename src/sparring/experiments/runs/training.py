"""A training as a run executes it: what the runner, its checkpoints and its records need of either kind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch

from sparring.arrays import Vector
from sparring.contracts import Model, Network
from sparring.data import Dataset
from sparring.experiments.config.build import BuiltDefense, build_scenario, load_dataset, validate
from sparring.experiments.config.build_central import build_central, load_central_dataset, validate_central
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Notice
from sparring.experiments.config.central_schema import AnyConfig, CentralConfig
from sparring.experiments.config.schema import Config
from sparring.experiments.runs.adaptation_time import TimedAdapter, time_adaptation
from sparring.federation import (
    FederationState,
    Result,
    RoundRecord,
    Scenario,
    initial_state,
    measure,
    play_round,
    simulate_rounds,
)
from sparring.federation.state import pack, unpack
from sparring.games.recursive import (
    CENTRAL_CODEC,
    CentralRecord,
    CentralState,
    CentralTraining,
    initial_central_state,
    measure_central,
    play_minibatch,
    preparing_players,
    simulate_central,
)
from sparring.snapshot import Codec


class TrainingState(Protocol):
    """The state between two rounds; a frozen dataclass."""

    @property
    def round(self) -> int:
        """The number of completed rounds."""

    @property
    def parameters(self) -> Vector:
        """The model."""


class Training(Protocol):
    """A training of either kind, from its start to its last round."""

    @property
    def facts(self) -> "TrainingFacts":
        """What does not change during the training."""

    def simulate(self, state: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the state and the record of each round that is left after `state`; None starts with the initial one."""

    def play(self, state: Any) -> Any:
        """Return the state after one more round, without an evaluation."""

    def busiest(self) -> Any:
        """Return a state from which on a round costs the most."""

    def measure(self, state: Any) -> object:
        """Evaluate a state."""

    def summarize(self, evaluated: Sequence[Any], model: Model) -> dict[str, Any]:
        """Return the metrics of the evaluated records that a result holds beside loss and accuracies."""


@dataclass(frozen=True, eq=False)
class TrainingFacts:
    """What does not change during a training."""

    network: Network
    device: torch.device
    rounds: int
    every: int
    """The number of rounds from one evaluation to the next."""
    record: type[Any]
    """The class of the records."""
    codec: Codec[Any]
    """The conversion of states to snapshots and back; the number of the round is their only JSON value."""
    adapter: TimedAdapter | None = None
    """Measures the time of a defense that adapts, if there is one."""
    preparing: tuple[str, ...] = ()
    """The players that learn before the first round."""


def report_preparation(facts: TrainingFacts, stage: Notice) -> None:
    """Say which players learn before the first round, which can take longer than all rounds."""
    if facts.preparing:
        stage(f"preparing the {' and the '.join(facts.preparing)}")


@dataclass(frozen=True, eq=False)
class FederatedRun:
    """The training of a federation."""

    scenario: Scenario
    rounds: int
    every: int
    adapter: TimedAdapter | None = None
    """The timed adapter of the scenario's defense."""

    @property
    def facts(self) -> TrainingFacts:
        federation = self.scenario.federation
        return TrainingFacts(
            federation.network,
            federation.device,
            self.rounds,
            self.every,
            RoundRecord,
            Codec(pack, unpack),
            self.adapter,
        )

    def simulate(self, state: FederationState | None) -> Iterator[tuple[FederationState, RoundRecord]]:
        return simulate_rounds(self.scenario, self.rounds, every=self.every, state=state)

    def play(self, state: FederationState) -> FederationState:
        return play_round(self.scenario, state)[0]

    def busiest(self) -> FederationState:
        """Return a state in which all attackers are active."""
        start = max((attacker.start for attacker in self.scenario.attackers), default=0)
        return replace(initial_state(self.scenario.federation), round=start)

    def measure(self, state: FederationState) -> object:
        return measure(self.scenario, state)

    def summarize(self, evaluated: Sequence[RoundRecord], model: Model) -> dict[str, Any]:
        summary = Result(evaluated, model)
        return {"backdoor_accuracy": None, **summary.backdoor_metrics}


@dataclass(frozen=True, eq=False)
class CentralRun:
    """The training of one learner."""

    training: CentralTraining
    every: int

    @property
    def facts(self) -> TrainingFacts:
        own = self.training
        device = own.train.labels.device
        return TrainingFacts(
            own.network,
            device,
            own.rounds,
            self.every,
            CentralRecord,
            CENTRAL_CODEC,
            preparing=preparing_players(own),
        )

    def simulate(self, state: CentralState | None) -> Iterator[tuple[CentralState, CentralRecord]]:
        return simulate_central(self.training, every=self.every, state=state)

    def play(self, state: CentralState) -> CentralState:
        return play_minibatch(self.training, state)[0]

    def busiest(self) -> CentralState:
        return initial_central_state(self.training)

    def measure(self, state: CentralState) -> object:
        own = self.training
        return measure_central(own.network, state.parameters, on=own.test, target=own.target)

    def summarize(self, evaluated: Sequence[CentralRecord], model: Model) -> dict[str, Any]:
        last = evaluated[-1]
        rates = {name: getattr(last, name) for name in ("conversion_rate", "evasion_rate", "gradient_norm")}
        return {name: rate for name, rate in rates.items() if rate is not None}


@dataclass(frozen=True)
class RunKind:
    """What differs between the kinds of training before the first round."""

    record: type[Any]
    """The class of the records."""
    load: Callable[[Any, Catalogues], Dataset]
    """Loads the data set of a configuration, with its validation split."""
    validate: Callable[[Any, Catalogues], BuiltDefense | None]
    """Rejects invalid settings before any data is read; what it returns need not be built again."""
    build: Callable[..., Training]
    """Builds the training of a configuration on its data set."""


def _build_federated(
    config: Config, dataset: Dataset, *, catalogues: Catalogues, server: BuiltDefense | None = None
) -> FederatedRun:
    scenario, adapter = time_adaptation(build_scenario(config, dataset, catalogues=catalogues, server=server))
    return FederatedRun(scenario, config.federation.rounds, config.evaluation.every, adapter)


def _build_central(config: CentralConfig, dataset: Dataset, *, catalogues: Catalogues, server: None) -> CentralRun:
    training = build_central(config, dataset, catalogues=catalogues)
    return CentralRun(training, config.evaluation.every or training.rounds_per_epoch)


RUN_KINDS: Mapping[type[AnyConfig], RunKind] = {
    Config: RunKind(RoundRecord, load_dataset, validate, _build_federated),
    CentralConfig: RunKind(CentralRecord, load_central_dataset, validate_central, _build_central),
}
"""The kinds of training, by the class of their configuration."""


def run_kind(config: AnyConfig) -> RunKind:
    """Return the kind of a configuration."""
    return RUN_KINDS[type(config)]


def build_training(
    config: AnyConfig, dataset: Dataset, *, catalogues: Catalogues = CATALOGUES, server: BuiltDefense | None = None
) -> Training:
    """Build the training of a run on its data set; `server` is what its validation returned, if it was validated."""
    return run_kind(config).build(config, dataset, catalogues=catalogues, server=server)
