"""Many rounds: from the start, or from any state in between."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Tensor

from sparring.arrays import Vector, pixels
from sparring.contracts import Network
from sparring.errors import ConfigError
from sparring.federation.record import RoundRecord
from sparring.federation.round import play_round
from sparring.federation.scenario import Federation, Scenario
from sparring.federation.state import FederationState, initial_state
from sparring.training import evaluate


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its parameters."""

    network: Network
    parameters: Vector

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits of images of bytes, or of inputs in [0, 1]."""
        return self.network.forward(self.network.split(self.parameters), pixels(inputs))


@dataclass(frozen=True, eq=False)
class Result:
    """What a training gives: a record for the start and for each round, and the model at the end."""

    records: Sequence[RoundRecord]
    model: Model

    @property
    def accuracy(self) -> float:
        """Accuracy after the last round."""
        return self._evaluated()[-1]

    @property
    def average_accuracy(self) -> float:
        """Mean accuracy over the evaluated rounds, the start excluded."""
        played = self._evaluated()[1:]
        return sum(played) / len(played)

    def _evaluated(self) -> list[float]:
        return [record.accuracy for record in self.records if record.accuracy is not None]


def play(
    scenario: Scenario, rounds: int, *, every: int = 10, state: FederationState | None = None
) -> Iterator[tuple[FederationState, RoundRecord]]:
    """Yield the state and the record of each round up to round `rounds`; from the start, the start itself first.

    The model is evaluated at the start, every `every` rounds and after the last one.
    """
    for name, given in (("federation.rounds", rounds), ("evaluation.every", every)):
        if given < 1:
            raise ConfigError(f"{name} is {given}; it must be at least 1")
    federation = scenario.federation
    if state is None:
        state = initial_state(federation)
        yield state, _evaluated(RoundRecord(round=0), federation, state=state)
    workspace = torch.empty(federation.sampled, federation.network.size)
    while state.round < rounds:
        state, record = play_round(scenario, state, workspace=workspace)
        is_due = state.round % every == 0 or state.round == rounds
        yield state, _evaluated(record, federation, state=state) if is_due else record


def train(
    scenario: Scenario, rounds: int, *, every: int = 10, watch: Callable[[RoundRecord], None] | None = None
) -> Result:
    """Play `rounds` rounds from the start; `watch` is called with each record."""
    records, parameters = [], None
    for state, record in play(scenario, rounds, every=every):
        parameters = state.parameters
        records.append(record)
        if watch is not None:
            watch(record)
    assert parameters is not None
    return Result(records, Model(scenario.federation.network, parameters))


def _evaluated(record: RoundRecord, federation: Federation, *, state: FederationState) -> RoundRecord:
    loss, accuracy, by_class = evaluate(federation.network, state.parameters, federation.test)
    return replace(
        record,
        loss=loss if isfinite(loss) else None,
        accuracy=accuracy,
        class_accuracy=tuple(share if isfinite(share) else None for share in by_class),
    )
