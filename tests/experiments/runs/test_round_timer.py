import pytest

from sparring.defenses.learned.adaptation import NoAdapter
from sparring.experiments.config.build import load_dataset
from sparring.experiments.runs import cost, training
from sparring.experiments.runs.adaptation_time import TimedAdapter
from sparring.experiments.runs.cost import Stopwatch, adaptation_share, measure_speed
from sparring.experiments.runs.training import build_training
from sparring.federation import RoundRecord
from tests.experiments.small import small

PLAIN = RoundRecord(round=1)
EVALUATED = RoundRecord(round=1, accuracy=0.5)


@pytest.fixture
def clock(monkeypatch):
    """Let the clock go on only when it is told to."""
    time = [0.0]
    monkeypatch.setattr(cost, "perf_counter", lambda: time[0])
    return time


def rate(stopwatch):
    config = small()
    built = build_training(config, load_dataset(config))
    return measure_speed(stopwatch, built, state=built.busiest())


def play(stopwatch, clock, record, seconds):
    clock[0] += seconds
    stopwatch.stop(record)
    clock[0] += 100  # what lies between two rounds is not counted
    stopwatch.start()


def test_evaluated_rounds_do_not_count_where_there_are_others(clock):
    stopwatch = Stopwatch()
    play(stopwatch, clock, RoundRecord(round=0, accuracy=0.1), 50)
    play(stopwatch, clock, PLAIN, 2)
    play(stopwatch, clock, PLAIN, 3)
    play(stopwatch, clock, EVALUATED, 40)
    assert rate(stopwatch) == 2 / 5


def test_an_evaluation_is_taken_off_where_all_rounds_were_evaluated(clock, monkeypatch):
    def measure(*_):
        clock[0] += 1

    monkeypatch.setattr(training, "measure", measure)
    stopwatch = Stopwatch()
    play(stopwatch, clock, EVALUATED, 3)
    play(stopwatch, clock, EVALUATED, 2)
    assert rate(stopwatch) == pytest.approx(2 / 3)


def test_a_slow_evaluation_leaves_some_time_for_training(clock, monkeypatch):
    monkeypatch.setattr(training, "measure", lambda *_: clock.__setitem__(0, clock[0] + 9))
    stopwatch = Stopwatch()
    play(stopwatch, clock, EVALUATED, 3)
    assert rate(stopwatch) > 0


def test_the_share_of_adaptation_is_that_in_all_rounds(clock):
    stopwatch = Stopwatch()
    assert adaptation_share(stopwatch) is None
    stopwatch.adapter = TimedAdapter(NoAdapter(), seconds=3.0)
    assert adaptation_share(stopwatch) is None
    play(stopwatch, clock, PLAIN, 2)
    play(stopwatch, clock, EVALUATED, 10)
    assert adaptation_share(stopwatch) == 3 / 12


def test_without_a_round_there_is_no_speed():
    assert rate(Stopwatch()) is None
