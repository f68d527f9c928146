"""Simulation of many rounds: from the start, or from any saved state."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sparring.contracts import Model
from sparring.errors import ConfigError
from sparring.federation.evaluation import measure
from sparring.federation.record import RoundRecord
from sparring.federation.round import play_round
from sparring.federation.scenario import Scenario, check_scenario
from sparring.federation.state import FederationState, initial_state
from sparring.validation import check_counts

METRICS = ("accuracy", "average_accuracy")
"""The metrics in the `repr` of a result."""
BACKDOOR_METRICS = ("backdoor_accuracy", "backdoor_accuracy_with_target", "backdoor_accuracy_of_all")


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of training: a record for the initial model and for each round, and the final model."""

    records: Sequence[RoundRecord]
    model: Model

    def __repr__(self) -> str:
        shown = METRICS if len(self._evaluate("accuracy")) > 1 else ()
        levels = "".join(f", {name}={getattr(self, name):.4g}" for name in shown)
        return f"Result({len(self.records)} records{levels}, model={self.model})"

    @property
    def accuracy(self) -> float:
        """Accuracy after the last round."""
        return self._evaluate("accuracy")[-1]

    @property
    def average_accuracy(self) -> float:
        """Mean accuracy over the evaluated rounds, excluding the initial model."""
        played = self._evaluate("accuracy")[1:]
        return sum(played) / len(played)

    @property
    def backdoor_metrics(self) -> dict[str, float]:
        """Each backdoor accuracy, by name, after the last round and on average; empty without a backdoor."""
        measured = {name: self._evaluate(name) for name in BACKDOOR_METRICS}
        known = {name: values for name, values in measured.items() if len(values) > 1}
        last = {name: values[-1] for name, values in known.items()}
        return last | {f"average_{name}": sum(values[1:]) / len(values[1:]) for name, values in known.items()}

    def _evaluate(self, metric: str) -> list[float]:
        values = (getattr(record, metric) for record in self.records)
        return [value for value in values if value is not None]


def simulate_rounds(
    scenario: Scenario, rounds: int, *, every: int = 10, state: FederationState | None = None
) -> Iterator[tuple[FederationState, RoundRecord]]:
    """Yield the state and the record of each round up to round `rounds`; from the start, the initial state first.

    The model is evaluated at the start, every `every` rounds and after the last one.
    """
    check_scenario("scenario", scenario)
    check_counts("federation", rounds=rounds)
    check_counts("evaluation", every=every)
    for name, given in (("federation.rounds", rounds), ("evaluation.every", every)):
        if given < 1:
            raise ConfigError(f"{name} is {given}; it must be at least 1")
    federation = scenario.federation
    if state is None:
        state = initial_state(federation)
        yield state, _evaluate(RoundRecord(round=0), scenario, state=state)
    workspace = state.parameters.new_empty(federation.sampled, federation.network.size)
    while state.round < rounds:
        state, record = play_round(scenario, state, workspace=workspace)
        is_due = state.round % every == 0 or state.round == rounds
        yield state, _evaluate(record, scenario, state=state) if is_due else record


def train(
    scenario: Scenario, rounds: int, *, every: int = 10, watch: Callable[[RoundRecord], None] | None = None
) -> Result:
    """Simulate `rounds` rounds from the start; `watch` is called with each record."""
    records, parameters = [], None
    for state, record in simulate_rounds(scenario, rounds, every=every):
        parameters = state.parameters
        records.append(record)
        if watch is not None:
            watch(record)
    assert parameters is not None
    return Result(records, Model(scenario.federation.network, parameters))


def _evaluate(record: RoundRecord, scenario: Scenario, *, state: FederationState) -> RoundRecord:
    return replace(record, **measure(scenario, state)._asdict())
