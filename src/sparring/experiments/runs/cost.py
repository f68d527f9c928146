"""The cost of a run: time and memory, forecast before the run and measured during it."""

import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

from sparring.experiments.config.build import build_scenario, load_dataset, validate
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.describe import format_attacks, format_classes, format_duration, format_member
from sparring.experiments.config.memory import FLOAT, translate_exhaustion
from sparring.experiments.config.parse import digest, to_document
from sparring.experiments.config.schema import Config
from sparring.experiments.runs.adaptation_time import TimedAdapter
from sparring.federation import FederationState, RoundRecord, Scenario, initial_state, measure, play_round
from sparring.training.backends.threaded import torch_threads

KIBIBYTE = 1 << 10
LONG = 10.0
"""Work that takes more seconds than this is timed once."""
SHORT, REPEATS = 0.5, 3
"""Work that takes fewer seconds than `SHORT` is timed `REPEATS` times."""


class Forecast(NamedTuple):
    """The cost of a run, extrapolated from a few rounds, and its configuration with all defaults."""

    seconds: float
    memory: int
    """Bytes."""
    parameters: int
    examples: int
    digest: str
    config: dict[str, Any]
    class_names: tuple[str, ...] = ()


def forecast_run(config: Config, catalogues: Catalogues = CATALOGUES) -> Forecast:
    """Time a few rounds of a run, and write nothing."""
    server = validate(config, catalogues)
    with translate_exhaustion(), torch_threads(config.execution.threads):
        dataset = load_dataset(config, catalogues)
        scenario = build_scenario(config, dataset, catalogues=catalogues, server=server)
        seconds = estimate_seconds(config, scenario)
    size = scenario.federation.network.size
    return Forecast(
        seconds=seconds,
        memory=_estimate_memory(config, size),
        parameters=size,
        examples=len(dataset.train.labels),
        digest=digest(config),
        config=to_document(config),
        class_names=dataset.class_names,
    )


def estimate_seconds(config: Config, scenario: Scenario) -> float:
    """Estimate the time of a run from a few of its rounds."""
    rounds = config.federation.rounds
    # All attackers are active in the measured rounds.
    start = max((attacker.start for attacker in scenario.attackers), default=0)
    state = replace(initial_state(scenario.federation), round=start)
    evaluation = _time_warm(lambda: measure(scenario, state))
    states = _play_rounds(scenario, state)
    training = _time_warm(lambda: next(states))
    return rounds * training + (1 + rounds / config.evaluation.every) * evaluation


def _play_rounds(scenario: Scenario, state: FederationState) -> Iterator[FederationState]:
    """Yield the states of an unlimited number of rounds."""
    while True:
        state, _ = play_round(scenario, state)
        yield state


def _time_warm(work: Callable[[], object]) -> float:
    """Return the time of some work in seconds; the first call also warms up caches."""
    seconds = _time(work)
    if seconds >= LONG:
        return seconds
    # Short times can be several times too long while other processes use the machine.
    return min(_time(work) for _ in range(REPEATS if seconds < SHORT else 1))


def _time(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _estimate_memory(config: Config, size: int) -> int:
    """Return the peak memory of this process plus the memory of the clients' momenta."""
    momenta = config.federation.clients * size if config.federation.momentum > 0 else 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE + FLOAT * momenta


@dataclass
class RoundTimer:
    """A number of rounds and their total time."""

    rounds: int = 0
    seconds: float = 0.0


class Stopwatch:
    """Measures the time of rounds, separately with and without evaluation."""

    def __init__(self) -> None:
        self.plain, self.evaluated = RoundTimer(), RoundTimer()
        self.adapter: TimedAdapter | None = None
        """What measures the adaptation of the defense; None if it does not adapt."""
        self._since = perf_counter()

    def start(self) -> None:
        """Start timing the next round."""
        self._since = perf_counter()

    def stop(self, record: RoundRecord) -> None:
        """Add the round that has just ended; the record before the first round does not count."""
        if record.round > 0:
            timer = self.plain if record.accuracy is None else self.evaluated
            timer.rounds += 1
            timer.seconds += perf_counter() - self._since


def adaptation_share(stopwatch: Stopwatch) -> float | None:
    """Return the share of adaptation in the time of all rounds; None without adaptation, or if no round was timed."""
    seconds = stopwatch.plain.seconds + stopwatch.evaluated.seconds
    return stopwatch.adapter.seconds / seconds if stopwatch.adapter is not None and seconds > 0 else None


def measure_speed(stopwatch: Stopwatch, scenario: Scenario, *, state: FederationState) -> float | None:
    """Return the speed of training without evaluation; None if no round was timed.

    It is the speed of the rounds without evaluation. If there are none, the time of one evaluation is subtracted.
    """
    plain, evaluated = stopwatch.plain, stopwatch.evaluated
    if plain.rounds > 0:
        return plain.rounds / plain.seconds
    if evaluated.rounds == 0:
        return None
    began = perf_counter()
    measure(scenario, state)
    training = evaluated.seconds - evaluated.rounds * (perf_counter() - began)
    # The lower bound avoids zero or negative times due to clock jitter.
    return evaluated.rounds / max(training, 0.01 * evaluated.seconds)


MEBIBYTE = 1 << 20


def describe_run(config: Config, plan: Forecast) -> dict[str, str]:
    """Describe a run, its time and its memory, as named facts."""
    data, federation = config.data, config.federation
    return {
        "data": f"{format_member(data.member)}, {plan.examples:,} training examples",
        **({"classes": format_classes(plan.class_names)} if plan.class_names else {}),
        "clients": f"{federation.clients}, {federation.sampled} sampled per round; {format_member(data.partition)}",
        "model": f"{format_member(config.model)}, {plan.parameters:,} parameters",
        "training": f"{federation.rounds} rounds of {federation.local_steps} x {federation.batch} examples per client, "
        f"lr {federation.lr:g}",
        "attack": format_attacks(config),
        "defense": f"{format_member(config.defense)}, {_describe_assumption(config)}",
        "post-training": format_member(config.post_training),
        "evaluation": f"every {config.evaluation.every} rounds, on the {config.evaluation.on} examples",
        "time": f"about {format_duration(plan.seconds)}",
        "memory": f"about {plan.memory / MEBIBYTE:,.0f} MiB",
    }


def _describe_assumption(config: Config) -> str:
    """Describe the number of malicious updates that the rule assumes."""
    if config.has_oracle:
        return "an oracle: it receives the true number of malicious updates in each round"
    return f"assuming {config.threat.assumed_malicious:.0%} malicious updates"
