import subprocess
import sys
import time
from contextlib import closing

import pytest

from sparring.errors import RunError
from sparring.experiments import load_plugins
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.sweeps import plan_sweep, sweep
from tests.experiments.sweeps.calls import answer, environment, sleep
from tests.experiments.sweeps.grids import full_grid, left
from tests.source import ROOT


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Return what a sweep of 24 runs leaves that is played in this process."""
    folder = tmp_path_factory.mktemp("straight") / "grid"
    assert sweep(plan_sweep(full_grid()), folder, workers=InlineWorkers()).complete == 24
    return left(folder)


@pytest.mark.parametrize("size", [1, 2])
def test_any_number_of_workers_leaves_the_same_bytes(size, straight, tmp_path):
    sweep(plan_sweep(full_grid()), tmp_path / "grid", workers=LocalWorkers(size))
    assert left(tmp_path / "grid") == straight


def test_a_worker_that_is_lost_takes_only_its_call_with_it():
    answers = dict(LocalWorkers(1).calls(answer, ["first", "SIGKILL", "last"]))
    assert (answers[0], answers[2]) == ("first", "last")
    assert isinstance(answers[1], RunError)
    assert str(answers[1]).startswith("the process was killed by SIGKILL; if memory ran out, use fewer workers")


def test_a_worker_that_ends_by_itself_is_told_of_and_nobody_waits_for_calls_that_are_given_up():
    began = time.monotonic()
    with closing(LocalWorkers(2).calls(sleep, [60, "exit"])) as answers:
        place, lost = next(answers)
    assert place == 1
    assert str(lost) == "the process ended with exit code 3; see its output on stderr"
    assert time.monotonic() - began < 50


def test_a_run_of_a_sweep_may_start_processes_of_its_own(tmp_path):
    document = {
        "base": {
            "data": {"name": "digits"},
            "model": {"name": "logistic"},
            "federation": {"clients": 4, "sampled": 4, "rounds": 1, "batch": 4},
        },
        "axes": {"attack": [{"name": "parent", "malicious": 1}]},
    }
    catalogues = load_plugins(["tests.experiments.sweeps.offspring:Parent"])
    stands = sweep(plan_sweep(document, catalogues), tmp_path, workers=LocalWorkers(1), catalogues=catalogues)
    assert stands.failures == ()
    assert stands.complete == 1


def test_whoever_ends_without_closing_ends_all_workers():
    program = "from tests.experiments.sweeps.calls import leave; leave()"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("value", ["one", "another"])
def test_workers_have_the_environment_that_there_is_when_they_start(value, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", value)
    assert list(LocalWorkers(1).calls(environment, ["SPARRING_DATA"])) == [(0, value)]


def test_without_calls_nobody_is_employed():
    assert list(LocalWorkers(2).calls(answer, [])) == []
