import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest
import torch

from sparring.errors import ConfigError, RunError
from sparring.experiments import load_plugins
from sparring.experiments.jobs.process_pool import LocalWorkers, parallel_calls, pinned_calls
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.calls import call_in_turn
from sparring.learning.search import CountTable, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.models.tensor_file import tensor_bytes
from tests.experiments.sweeps.calls import answer, count_calls, environment, refuse, sleep, threads_and_process
from tests.experiments.sweeps.grids import full_grid, left
from tests.learning.distribution.federations import QUICK, held, leaked, scenario
from tests.source import ROOT

GAME = Thresholds(others=3, rounds=5)
TASK = LearningTask(GAME, SEAT)
SEARCH = CrossEntropySearch(CountTable(GAME.sampled), candidates=6, elites=2, episodes=1, trials=1, kept=4)


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


@pytest.mark.parametrize("processes", [1, 2])
def test_a_search_finds_the_same_bytes_with_any_number_of_processes(processes):
    with parallel_calls(processes) as calls:
        found, expected = (searched(replace(SEARCH, calls=each)) for each in (calls, call_in_turn))
    assert found == expected


def searched(search):
    """Return the bytes of what a search comes to."""
    state = search.improve(search.initial(TASK, seed=1), TASK, steps=300, seed=1)
    packed = search.codec(TASK).pack(search.choose(state, TASK, seed=1))
    return tensor_bytes("search", described=packed.numbers, tensors=packed.tensors)


@pytest.mark.parametrize("processes", [1, 2])
def test_gradients_are_inverted_to_the_same_bytes_with_any_number_of_processes(processes):
    watched = scenario()
    leaks, own = leaked(watched, 20), held(watched)
    with parallel_calls(processes) as calls:
        here, there = (
            list(replace(QUICK, calls=each).reconstruct(watched.federation.network, leaks, own=own, seed=0))
            for each in (call_in_turn, calls)
        )
    assert len(here) == 3
    for one, other in zip(here, there, strict=True):
        assert one.numbers == other.numbers
        assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


def test_processes_stay_for_further_calls_and_have_the_threads_of_their_parent(threads):
    threads(3)
    with parallel_calls(2) as calls:
        first, second = (list(calls(threads_and_process, range(4))) for _ in range(2))
    assert {count for count, _ in first} == {3}
    assert {process for _, process in first} == {process for _, process in second}
    assert len({process for _, process in first}) == 2


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_as_in_this_process_and_the_next_calls_are_made(processes):
    with parallel_calls(processes) as calls:
        with pytest.raises(ConfigError, match="^1 is odd$"):
            list(calls(refuse, [0, 1, 2]))
        assert list(calls(refuse, [0, 2])) == [0, 2]


def test_an_unforeseen_error_is_named_and_a_lost_process_is_told_of():
    with parallel_calls(2) as calls:
        with pytest.raises(RunError, match="^TypeError: .*str"):
            list(calls(refuse, ["one"]))
        with pytest.raises(RunError, match="the process was killed by SIGKILL"):
            list(calls(answer, ["SIGKILL"]))


def test_calls_with_equal_pins_are_made_in_the_same_process_which_keeps_a_shelf():
    names, pins = ["a", "b", "c", "a"], [0, 1, 2, 0]
    with pinned_calls(2) as calls:
        rounds = [list(calls(count_calls, names, pins=pins)) for _ in range(3)]
        alone = list(calls(count_calls, ["b"], pins=[1]))
    assert [[name for name, _, _ in answers] for answers in rounds] == [names] * 3
    assert [[count for _, count, _ in answers] for answers in rounds] == [[1, 1, 1, 2], [3, 2, 2, 4], [5, 3, 3, 6]]
    homes = {(name, process) for answers in [*rounds, alone] for name, _, process in answers}
    assert len(homes) == 3
    assert len({process for _, process in homes}) == 2
    assert alone[0][1] == 4


def test_a_lost_process_takes_its_shelf_with_it_and_others_keep_theirs():
    with pinned_calls(2) as calls:
        list(calls(count_calls, ["a", "b"], pins=[0, 1]))
        with pytest.raises(RunError, match="the process was killed by SIGKILL"):
            list(calls(count_calls, ["SIGKILL"], pins=[1]))
        assert [count for _, count, _ in calls(count_calls, ["a", "b"], pins=[0, 1])] == [2, 1]


def test_in_this_process_every_call_has_an_empty_shelf():
    with pinned_calls(1) as calls:
        assert [count for _, count, _ in calls(count_calls, ["a", "a"], pins=[0, 0])] == [1, 1]
