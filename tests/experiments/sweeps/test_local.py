import time
from contextlib import closing

from sparring.errors import RunError
from sparring.experiments.sweeps import LocalWorkers
from tests.experiments.sweeps.calls import answer, sleep


def test_a_worker_that_is_lost_takes_only_its_call_with_it():
    answers = dict(LocalWorkers(1).calls(answer, ["first", "SIGKILL", "last"]))
    assert (answers[0], answers[2]) == ("first", "last")
    assert isinstance(answers[1], RunError)
    assert str(answers[1]).startswith("the process was killed by SIGKILL; if memory ran out, play fewer runs at a time")


def test_a_worker_that_ends_by_itself_is_told_of_and_nobody_waits_for_calls_that_are_given_up():
    began = time.monotonic()
    with closing(LocalWorkers(2).calls(sleep, [60, "exit"])) as answers:
        place, lost = next(answers)
    assert place == 1
    assert str(lost) == "the process ended by itself, with exit code 3; what it wrote on stderr says more"
    assert time.monotonic() - began < 50


def test_without_calls_nobody_is_employed():
    assert list(LocalWorkers(2).calls(answer, [])) == []
