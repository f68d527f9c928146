"""The cost of a run: time and memory, forecast before the run and measured during it."""

import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

from sparring.data import Dataset
from sparring.experiments.config.build_central import history_memory
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Notice, ignore
from sparring.experiments.config.central_schema import AnyConfig, CentralConfig
from sparring.experiments.config.describe import format_classes, format_duration, list_facts
from sparring.experiments.config.memory import FLOAT, translate_exhaustion
from sparring.experiments.config.parse import digest, to_document
from sparring.experiments.runs.adaptation_time import TimedAdapter
from sparring.experiments.runs.training import (
    Training,
    TrainingState,
    build_training,
    report_preparation,
    run_kind,
)
from sparring.records import Record
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
    rounds: int
    digest: str
    config: dict[str, Any]
    class_names: tuple[str, ...] = ()


def forecast_run(config: AnyConfig, catalogues: Catalogues = CATALOGUES, *, notice: Notice = ignore) -> Forecast:
    """Time a few rounds of a run, and write nothing."""
    server = run_kind(config).validate(config, catalogues)
    with translate_exhaustion(), torch_threads(config.execution.threads):
        dataset = run_kind(config).load(config, catalogues)
        training = build_training(config, dataset, catalogues=catalogues, server=server)
        report_preparation(training.facts, notice)
        seconds = estimate_seconds(training)
    facts = training.facts
    return Forecast(
        seconds=seconds,
        memory=_estimate_memory(config, dataset, size=facts.network.size),
        parameters=facts.network.size,
        examples=len(dataset.train.labels),
        rounds=facts.rounds,
        digest=digest(config),
        config=to_document(config),
        class_names=dataset.class_names,
    )


def estimate_seconds(training: Training) -> float:
    """Estimate the time of a run from a few of its rounds, and from what its players learn before the first one."""
    began, facts = perf_counter(), training.facts
    state = training.busiest()
    preparation = perf_counter() - began
    evaluation = _time_warm(lambda: training.measure(state))
    states = _play_rounds(training, state)
    seconds = _time_warm(lambda: next(states))
    return preparation + facts.rounds * seconds + (1 + facts.rounds / facts.every) * evaluation


def _play_rounds(training: Training, state: TrainingState) -> Iterator[TrainingState]:
    """Yield the states of an unlimited number of rounds."""
    while True:
        state = training.play(state)
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


def _estimate_memory(config: AnyConfig, dataset: Dataset, *, size: int) -> int:
    """Return the peak memory of this process plus that of momenta or histories, which grows later."""
    grows: float = 0
    if isinstance(config, CentralConfig):
        grows = history_memory(config, dataset)
    elif config.federation.momentum > 0:
        grows = FLOAT * config.federation.clients * size
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE + int(grows)


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

    def stop(self, record: Record) -> None:
        """Add the round that has just ended; the record before the first round does not count."""
        if record.round > 0:
            timer = self.plain if record.accuracy is None else self.evaluated
            timer.rounds += 1
            timer.seconds += perf_counter() - self._since


def adaptation_share(stopwatch: Stopwatch) -> float | None:
    """Return the share of adaptation in the time of all rounds; None without adaptation, or if no round was timed."""
    seconds = stopwatch.plain.seconds + stopwatch.evaluated.seconds
    return stopwatch.adapter.seconds / seconds if stopwatch.adapter is not None and seconds > 0 else None


def measure_speed(stopwatch: Stopwatch, training: Training, *, state: TrainingState) -> float | None:
    """Return the speed of training without evaluation; None if no round was timed.

    It is the speed of the rounds without evaluation. If there are none, the time of one evaluation is subtracted.
    """
    plain, evaluated = stopwatch.plain, stopwatch.evaluated
    if plain.rounds > 0:
        return plain.rounds / plain.seconds
    if evaluated.rounds == 0:
        return None
    began = perf_counter()
    training.measure(state)
    seconds = evaluated.seconds - evaluated.rounds * (perf_counter() - began)
    # The lower bound avoids zero or negative times due to clock jitter.
    return evaluated.rounds / max(seconds, 0.01 * evaluated.seconds)


MEBIBYTE = 1 << 20


def describe_run(config: AnyConfig, plan: Forecast) -> dict[str, str]:
    """Describe a run, its time and its memory, as named facts."""
    facts = dict(list_facts(config))
    facts["data"] += f", {plan.examples:,} training examples"
    facts["model"] += f", {plan.parameters:,} parameters"
    classes = {"classes": format_classes(plan.class_names)} if plan.class_names else {}
    return {
        "data": facts.pop("data"),
        **classes,
        **facts,
        "time": f"about {format_duration(plan.seconds)}",
        "memory": f"about {plan.memory / MEBIBYTE:,.0f} MiB",
    }
