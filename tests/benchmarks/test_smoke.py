"""Every benchmark runs to its end, on sizes that take seconds."""

from importlib import import_module
from inspect import signature

import pytest
import torch

from benchmarks import rules
from benchmarks.inversion import Gradients
from benchmarks.recursive import Sizes
from benchmarks.teams import TeamSizes
from benchmarks.timing import interleaved, peak_memory
from benchmarks.workloads import WORKLOADS, Workload
from sparring.defenses import DEFENSES
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.learning.sb3 import TD3Settings
from sparring.models import Cnn, Mlp
from tests.source import ROOT

TINY = {"tiny": Workload(Cnn(width=1), (1, 28, 28), clients=40, sampled=2, batch=2, examples=400)}
HARDENED = {"data": "digits", "model": "logistic", "harden": {"rounds": 1, "images": 100}}
SIZES = {
    "games": {"repeats": 1, "threads": (1,), "workloads": TINY, "teams": TINY},
    "hardening": {"rounds": 1, "repeats": 1, "settings": {"tiny": HARDENED}},
    "inversion": {"repeats": 1, "iterations": 1, "workloads": {"tiny": Gradients(2, 2)}},
    "recursive": {"repeats": 1, "sizes": Sizes(20, 5, 4, 6), "models": {"mlp": Mlp(hidden=3)}},
    "reinforcement": {"repeats": 1, "threads": (1,), "settings": TD3Settings(warmup=0, batch=4, hidden=(8,))},
    "rounds": {"repeats": 1, "threads": 1, "workloads": TINY},
    "rules": {"repeats": 1, "threads": 1, "shapes": ((7, 30),), "largest": (7, 30), "measured": ("crfl",)},
    "starting": {"repeats": 1},
    "worlds": {"repeats": 1, "policies": 1, "rounds": 3, "worlds": TINY},
    "teams": {"repeats": 1, "sizes": TeamSizes(seats=3, sampled=4, clients=10, observation=5, hidden=(4,), batch=8)},
    "sweeps": {"rounds": 1, "seeds": 1, "workers": lambda jobs: InlineWorkers()},
}
"""What each benchmark is told to take, small enough for a test."""

FOUND = {path.stem: import_module(f"benchmarks.{path.stem}") for path in sorted((ROOT / "benchmarks").glob("[!_]*.py"))}
BENCHMARKS = {name: module for name, module in FOUND.items() if hasattr(module, "main")}


@pytest.fixture(autouse=True)
def restored(threads):
    """Leave the number of threads as it was."""


def test_every_benchmark_has_tiny_sizes():
    assert BENCHMARKS.keys() <= SIZES.keys()


def test_every_benchmark_is_part_of_make_bench():
    played = (ROOT / "benchmarks" / "__main__.py").read_text()
    assert [name for name in BENCHMARKS if f"    {name}.main()\n" not in played] == []


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_takes_its_sizes_as_arguments_that_need_not_be_given(name):
    sizes = signature(BENCHMARKS[name].main).parameters
    assert SIZES[name].keys() <= sizes.keys()
    assert all(size.default is not size.empty for size in sizes.values())


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_to_its_end(name, capfd):
    BENCHMARKS[name].main(**SIZES[name])
    printed = capfd.readouterr().out
    assert "nan" not in printed
    assert sum(character.isdigit() for character in printed) > 10
    assert len(printed.strip().splitlines()) > 1


@pytest.mark.parametrize("name", sorted(DEFENSES.keys() - {"learned"}))
def test_the_memory_of_every_rule_can_be_measured(name):
    rules.aggregate(name, (7, 30), torch.get_num_threads())


def test_too_little_memory_is_said_and_not_used(capsys, monkeypatch):
    monkeypatch.setattr(rules, "available_memory", lambda: 0)
    rules.main(repeats=1, threads=1, shapes=(), largest=(7, 30))
    assert "the memory of the rules on (7, 30) is not measured" in capsys.readouterr().out


def test_the_largest_round_is_measured_of_all_rules_but_those_that_remember_every_client():
    measured = signature(rules.main).parameters["measured"].default
    assert set(measured) == DEFENSES.keys() - {"foolsgold", "safeguard", "learned"}


def test_tasks_take_turns():
    played = []
    seconds = interleaved({"one": lambda: played.append(1), "two": lambda: played.append(2)}, repeats=2, warmup=1)
    assert played == [1, 2] * 3
    assert seconds.keys() == {"one", "two"}


def test_the_workloads_are_federations():
    assert all(workload.sampled <= workload.clients <= workload.examples for workload in WORKLOADS.values())


def test_the_peak_of_memory_is_that_of_a_process_of_its_own():
    assert peak_memory(len, "four") > 50


def test_the_command_finds_all_of_them():
    assert import_module("benchmarks.__main__").__doc__.startswith("`make bench`")
