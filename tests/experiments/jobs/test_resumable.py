from dataclasses import dataclass, replace
from itertools import count

import pytest
import torch

from sparring.errors import Interrupted
from sparring.experiments.jobs.resumable import run_job, training_job
from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace
from sparring.experiments.jobs.snapshots import latest_progress
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.actor_critic import ActorCritic, UpdateSettings
from sparring.learning.sb3 import PPOSettings, SB3Learner, TD3Settings
from sparring.learning.search import CountTable, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.models.tensor_file import tensor_bytes

GAME = Thresholds(others=3, rounds=5)
TABLE = CountTable(GAME.sampled)
START = TABLE.policy(torch.tensor([-0.8, -0.8, -0.8, 0.6, 0.6, 0.6]), LearningTask(GAME, SEAT).space)
CRITIC = ActorCritic(UpdateSettings(hidden=(8,)), batch=8, memory=60, warmup=30, pace=2, imitation=5, critic_updates=3)
TD3 = TD3Settings(hidden=(8,), batch=8, buffer=60, warmup=30, pace=4)
LEARNERS = {
    "search": CrossEntropySearch(TABLE, candidates=4, elites=2, episodes=1, trials=1, kept=4),
    "actor-critic": CRITIC,
    "actor-critic from a start": replace(CRITIC, start=START),
    "TD3": SB3Learner(TD3),
    "TD3 that learns from the first step": SB3Learner(replace(TD3, warmup=0)),
    "PPO": SB3Learner(PPOSettings(hidden=(8,), rollout=16, batch=8, epochs=1)),
}
STEPS = 160
ALWAYS = CheckpointInterval(seconds=0, share=float("inf"))
EACH = pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS)


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr("sparring.learning.learner.CHUNK", 16)
    monkeypatch.setattr("sparring.learning.learner.GROWTH", 1)


@dataclass(frozen=True)
class Killed(Thresholds):
    """A game that is interrupted in a certain step, counted over all episodes."""

    ticks: object = None
    killed_in: int = 0

    def transition(self, state, actions, *, rng):
        if next(self.ticks) == self.killed_in:
            raise KeyboardInterrupt
        return super().transition(state, actions, rng=rng)


def trained(learner, folder, game=GAME, **options):
    """Return the bytes of what is learned, and of what is chosen of it."""
    task = LearningTask(game, SEAT)
    state = run_job(training_job(learner, task, steps=STEPS, seed=3), folder, **options)
    states = [learner.codec(task).pack(each) for each in (state, learner.choose(state, task, seed=3))]
    weights = [part for layer in learner.policies(state, task)[SEAT].layers for part in layer]
    content = [tensor_bytes("state", described=each.numbers, tensors=each.tensors) for each in states]
    return content, [weight.tolist() for weight in weights]


@EACH
@pytest.mark.parametrize("last", [20, 90, 150])
def test_a_training_that_is_killed_in_any_step_resumes_to_the_same_bytes(learner, last, tmp_path):
    often = SavePace(ALWAYS)
    with pytest.raises(KeyboardInterrupt):
        trained(learner, tmp_path / "killed", Killed(others=3, rounds=5, ticks=count(), killed_in=last), pace=often)
    assert latest_progress(tmp_path / "killed") <= last
    assert trained(learner, tmp_path / "killed") == trained(learner, tmp_path / "straight")


@EACH
def test_a_training_that_is_stopped_after_each_chunk_resumes_to_the_same_bytes(learner, tmp_path):
    stops = 0
    while latest_progress(tmp_path / "stopped") < STEPS:
        with pytest.raises(Interrupted, match=f"^stopped after [0-9]+ of {STEPS} steps$"):
            trained(learner, tmp_path / "stopped", wants_stop=lambda: True)
        stops += 1
    assert stops > 1
    assert trained(learner, tmp_path / "stopped") == trained(learner, tmp_path / "straight")


@EACH
def test_the_length_of_a_chunk_changes_nothing(learner, tmp_path, monkeypatch):
    short = trained(learner, tmp_path / "short")
    monkeypatch.setattr("sparring.learning.learner.CHUNK", 1)
    monkeypatch.setattr("sparring.learning.learner.SECONDS", 0.0)
    assert trained(learner, tmp_path / "shortest") == short


def test_a_chunk_becomes_longer_with_the_speed_of_a_training(monkeypatch):
    ticks = count()
    monkeypatch.setattr("sparring.learning.learner.GROWTH", 2)
    monkeypatch.setattr("sparring.learning.learner.perf_counter", lambda: 5.0 * next(ticks))
    monkeypatch.setattr("sparring.learning.learner.SECONDS", 20.0)
    task = LearningTask(GAME, SEAT)
    states = training_job(LEARNERS["actor-critic"], task, steps=STEPS, seed=3).states(None)
    assert [state.steps for state in states] == [16, 48, 112, 160]
    monkeypatch.setattr("sparring.learning.learner.SECONDS", 2.5)
    states = training_job(LEARNERS["actor-critic"], task, steps=30, seed=3).states(None)
    assert [state.steps for state in states] == [16, 24, 28, 30]
