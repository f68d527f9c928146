"""What a run costs: its time and its memory, forecast before it is played and measured while it is."""

import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

from sparring.experiments.config.build import build_scenario, load_dataset, validate
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.describe import format_attacks, format_classes, format_duration, format_member
from sparring.experiments.config.memory import FLOAT, explaining_exhaustion
from sparring.experiments.config.parse import digest, to_document
from sparring.experiments.config.schema import Config
from sparring.federation import FederationState, RoundRecord, Scenario, initial_state, measure, play_round
from sparring.training.backends.threaded import torch_threads

KIBIBYTE = 1 << 10
LONG = 10.0
"""Seconds after which nothing is measured again."""
SHORT, REPEATS = 0.5, 3
"""What takes fewer seconds than this is measured so many times."""


class Forecast(NamedTuple):
    """The cost of a run as measured on a round, and the configuration with all defaults."""

    seconds: float
    memory: int
    """Bytes."""
    parameters: int
    examples: int
    digest: str
    config: dict[str, Any]
    class_names: tuple[str, ...] = ()


def forecast(config: Config, catalogues: Catalogues = CATALOGUES) -> Forecast:
    """Play a few rounds for the measure, and write nothing."""
    server = validate(config, catalogues)
    with explaining_exhaustion(), torch_threads(config.execution.threads):
        dataset = load_dataset(config, catalogues)
        scenario = build_scenario(config, dataset, catalogues=catalogues, server=server)
        seconds = run_seconds(config, scenario)
    size = scenario.federation.network.size
    return Forecast(
        seconds=seconds,
        memory=_memory(config, size),
        parameters=size,
        examples=len(dataset.train.labels),
        digest=digest(config),
        config=to_document(config),
        class_names=dataset.class_names,
    )


def run_seconds(config: Config, scenario: Scenario) -> float:
    """Return how long a run will take, as measured on a few rounds of it."""
    rounds = config.federation.rounds
    # All attackers have started in the round that is measured.
    start = max((attacker.start for attacker in scenario.attackers), default=0)
    state = replace(initial_state(scenario.federation), round=start)
    evaluation = _warm(lambda: measure(scenario, state))
    states = _states(scenario, state)
    training = _warm(lambda: next(states))
    return rounds * training + (1 + rounds / config.evaluation.every) * evaluation


def _states(scenario: Scenario, state: FederationState) -> Iterator[FederationState]:
    """Play round after round, without an end."""
    while True:
        state, _ = play_round(scenario, state)
        yield state


def _warm(work: Callable[[], object]) -> float:
    """Return the seconds that work takes; the first time it also makes what every later one uses."""
    seconds = _timed(work)
    if seconds >= LONG:
        return seconds
    # What is short may come out several times as long while the machine does something else.
    return min(_timed(work) for _ in range(REPEATS if seconds < SHORT else 1))


def _timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _memory(config: Config, size: int) -> int:
    """Return what this process has needed, and what the clients' momenta will need besides."""
    momenta = config.federation.clients * size if config.federation.momentum > 0 else 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE + FLOAT * momenta


@dataclass
class RoundTimer:
    """So many rounds and the seconds that they took."""

    rounds: int = 0
    seconds: float = 0.0


class Stopwatch:
    """Counts rounds and their seconds: those that ended in an evaluation apart from the others."""

    def __init__(self) -> None:
        self.plain, self.evaluated = RoundTimer(), RoundTimer()
        self._since = perf_counter()

    def start(self) -> None:
        """Let the next round begin now."""
        self._since = perf_counter()

    def stop(self, record: RoundRecord) -> None:
        """Count the round that has just ended; the start of a run is no round."""
        if record.round > 0:
            laps = self.plain if record.accuracy is None else self.evaluated
            laps.rounds += 1
            laps.seconds += perf_counter() - self._since


def rounds_per_second(stopwatch: Stopwatch, scenario: Scenario, *, state: FederationState) -> float | None:
    """Return the speed of training alone; None where nothing was timed.

    It is that of the rounds without evaluation. Where there are none, one evaluation is timed and taken off.
    """
    plain, evaluated = stopwatch.plain, stopwatch.evaluated
    if plain.rounds > 0:
        return plain.rounds / plain.seconds
    if evaluated.rounds == 0:
        return None
    began = perf_counter()
    measure(scenario, state)
    training = evaluated.seconds - evaluated.rounds * (perf_counter() - began)
    # However the clock jitters, a round takes some time.
    return evaluated.rounds / max(training, 0.01 * evaluated.seconds)


MEBIBYTE = 1 << 20


def describe_run(config: Config, plan: Forecast) -> dict[str, str]:
    """Return what would be played, its time and its memory, by the names of these facts."""
    data, federation = config.data, config.federation
    return {
        "data": f"{format_member(data.member)}, {plan.examples:,} training examples",
        **({"classes": format_classes(plan.class_names)} if plan.class_names else {}),
        "clients": f"{federation.clients}, {federation.sampled} of them in a round; {format_member(data.partition)}",
        "model": f"{format_member(config.model)}, {plan.parameters:,} parameters",
        "training": f"{federation.rounds} rounds of {federation.local_steps} x {federation.batch} examples a client, "
        f"lr {federation.lr:g}",
        "attack": format_attacks(config),
        "defense": f"{format_member(config.defense)}, {_assuming(config)}",
        "post-training": format_member(config.post_training),
        "evaluation": f"every {config.evaluation.every} rounds, on the {config.evaluation.on} examples",
        "time": f"about {format_duration(plan.seconds)}",
        "memory": f"about {plan.memory / MEBIBYTE:,.0f} MiB",
    }


def _assuming(config: Config) -> str:
    """Say how many malicious updates the rule assumes."""
    if config.has_oracle:
        return "an oracle: it is told how many updates of each round are malicious"
    return f"assuming {config.threat.assumed_malicious:.0%} malicious updates"
