import os

import pytest

from sparring.cli.options import WorkerOptions
from sparring.errors import ConfigError
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import InlineWorkers


def test_runs_are_played_here_a_process_a_core():
    assert WorkerOptions().workers() == LocalWorkers(len(os.sched_getaffinity(0)))
    assert WorkerOptions(jobs=3).workers() == LocalWorkers(3)


def test_a_cluster_is_looked_for_only_when_it_is_chosen(monkeypatch):
    monkeypatch.setattr(
        "sparring.integrations.integration", lambda name: lambda address: InlineWorkers(len(f"{name} {address}"))
    )
    assert WorkerOptions(ray="local").workers() == InlineWorkers(9)


def test_one_place_is_chosen():
    with pytest.raises(ConfigError, match="--jobs and --ray are both given; choose one"):
        WorkerOptions(jobs=2, ray="local").workers()
