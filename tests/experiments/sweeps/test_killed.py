import pytest

from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.sweeps import plan_sweep, sweep
from tests.experiments.sweeps.grids import complete, full_grid, left
from tests.experiments.sweeps.killing import killed, orphaned

DOCUMENT = full_grid("federation.rounds=20")


def test_a_sweep_that_is_killed_twice_comes_to_the_bytes_of_one_that_is_not(tmp_path):
    plan, folder = plan_sweep(DOCUMENT), tmp_path / "killed"
    assert len(plan.runs) == 24
    first = killed(DOCUMENT, folder, size=2, runs=4)
    second = killed(DOCUMENT, folder, size=1, runs=first + 4)
    assert 4 <= first < second < 24
    assert sweep(plan, folder, workers=LocalWorkers(2)).complete == 24
    sweep(plan, tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")
    assert len(left(folder)) == 3 * complete(folder) + 1


@pytest.mark.parametrize("kind", ["games", "gradients"])
def test_processes_that_a_worker_has_started_end_with_whoever_started_the_worker(kind):
    orphaned(kind, processes=3)
