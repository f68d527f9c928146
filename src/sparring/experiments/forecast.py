"""What a run would be, before it is played: in words, in time and in memory."""

import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple

from sparring.experiments.config.build import build_scenario, load_dataset, validate
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.memory import FLOAT, explaining_exhaustion
from sparring.experiments.config.parse import digest, to_document
from sparring.experiments.config.schema import Config
from sparring.federation import FederationState, Scenario, initial_state, measure, play_round
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
