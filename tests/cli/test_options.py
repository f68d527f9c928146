import os

import pytest

from sparring.cli.options import choose_workers
from sparring.errors import ConfigError
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import InlineWorkers


def test_runs_are_played_here_a_process_a_core():
    assert choose_workers(None, None) == LocalWorkers(len(os.sched_getaffinity(0)))
    assert choose_workers(3, None) == LocalWorkers(3)


def test_a_cluster_is_looked_for_only_when_it_is_chosen(monkeypatch):
    monkeypatch.setattr(
        "sparring.cli.options.integration", lambda name: lambda address: InlineWorkers(len(f"{name} {address}"))
    )
    assert choose_workers(None, "local") == InlineWorkers(9)


def test_one_place_is_chosen():
    with pytest.raises(ConfigError, match="--jobs and --ray are both given; choose one"):
        choose_workers(2, "local")
