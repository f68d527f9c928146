from dataclasses import dataclass
from itertools import count

import pytest

from sparring.errors import Interrupted
from sparring.experiments.jobs.resumable import run_job, stackelberg_job
from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace
from sparring.experiments.jobs.snapshots import latest_progress
from sparring.learning.meta.adaptation import Ascent
from sparring.learning.stackelberg import MetaStackelberg
from sparring.models.tensor_file import tensor_bytes
from tests.learning.meta.spring_tasks import NOBODY, noisy_tasks, numbers

LEARNER = MetaStackelberg(answer=Ascent(0.3, steps=2), drawn=2)
STEPS = 6
ALWAYS = CheckpointInterval(seconds=0, share=float("inf"))


@dataclass
class Killed:
    """A source of episodes that is interrupted in a certain batch."""

    source: object
    ticks: object
    killed_in: int

    @property
    def policies(self):
        return self.source.policies

    def sample(self, weights, *, episodes, rng):
        if next(self.ticks) == self.killed_in:
            raise KeyboardInterrupt
        return self.source.sample(weights, episodes=episodes, rng=rng)


def domain(coupling, killed_in=-1):
    """Return two types of springs that are played with noise; their sources count batches together."""
    ticks, tasks = count(), noisy_tasks(coupling, 0.3, episodes=4)
    return [type(task)(Killed(task.source, ticks, killed_in), task.settings, task.weight) for task in tasks]


def trained(folder, coupling, killed_in=-1, **options):
    """Return the bytes of what is learned."""
    types, phi = domain(coupling, killed_in), numbers(0.0) if coupling else NOBODY
    first = LEARNER.initial(types, numbers(0.1), [phi] * 2 if coupling else None)
    packed = LEARNER.codec.pack(run_job(stackelberg_job(LEARNER, types, first, steps=STEPS, seed=3), folder, **options))
    return tensor_bytes("state", described=packed.numbers, tensors=packed.tensors)


@pytest.mark.parametrize("coupling", [0.0, 1.0], ids=["followers without weights", "followers that answer"])
@pytest.mark.parametrize("killed_in", [0, 3, 8])
def test_a_training_that_is_killed_in_any_batch_resumes_to_the_same_bytes(coupling, killed_in, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", coupling, killed_in, pace=SavePace(ALWAYS))
    assert latest_progress(tmp_path / "killed") < STEPS
    assert trained(tmp_path / "killed", coupling) == trained(tmp_path / "straight", coupling)


def test_a_training_that_is_stopped_after_each_iteration_resumes_to_the_same_bytes(tmp_path):
    for done in range(1, STEPS + 1):
        with pytest.raises(Interrupted, match=f"^stopped after {done} of {STEPS} iterations$"):
            trained(tmp_path / "stopped", 1.0, wants_stop=lambda: True)
    assert trained(tmp_path / "stopped", 1.0) == trained(tmp_path / "straight", 1.0)
