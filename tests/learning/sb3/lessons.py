"""Short trainings, and what comes of them, for the tests of every learner."""

import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from safetensors.torch import load, save

from sparring.learning.learner import train
from sparring.learning.sb3 import PPOSettings, SB3Learner, TD3Settings
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.snapshot import Snapshot
from tests.games.small_games import Tracking

TD3 = TD3Settings(hidden=(8, 8), batch=16, warmup=20, pace=4)
PPO = PPOSettings(hidden=(8, 8), rollout=16, batch=8, epochs=2)


def arena(game: Tracking | None = None, **settings) -> LearningTask:
    return LearningTask(Tracking() if game is None else game, "player", **settings)


class Training(NamedTuple):
    """A state as a snapshot, with the returns since the last one and the policy."""

    packed: Snapshot
    steps: int
    returns: tuple[float, ...]
    policy: PolicyNetwork


def lesson(settings, *, start: Snapshot | None = None, steps: int = 96, every: int = 32, **arena_settings):
    """Train in chunks."""
    return trained(arena(**arena_settings), settings, steps=steps, every=every, start=start)


def trained(task, settings, *, steps, every=1000, seed=7, start=None) -> Iterator[Training]:
    """Yield each state of a training as a snapshot."""
    learner = SB3Learner(settings)
    codec = learner.codec(task)
    begun = None if start is None else codec.unpack(start)
    known = 0 if begun is None else len(begun.returns)
    for state in train(learner, task, steps=steps, seed=seed, every=every, start=begun):
        policy = learner.policies(state, task)[task.seat]
        yield Training(codec.pack(state), state.steps, state.returns[known:], policy)
        known = len(state.returns)


def through_disk(packed: Snapshot) -> Snapshot:
    """Return a snapshot as it comes back from a file."""
    return Snapshot(load(save(packed.tensors)), json.loads(json.dumps(packed.numbers)))


def digest(training: Training) -> str:
    """Return a number that differs for trainings that differ in a single bit."""
    numbers = [training.packed.numbers, training.steps, training.returns]
    content = save(training.packed.tensors) + json.dumps(numbers, sort_keys=True).encode()
    weights = b"".join(tensor.numpy().tobytes() for layer in training.policy.layers for tensor in layer)
    return hashlib.sha256(content + weights).hexdigest()


def misses(training: Training) -> float:
    """Return how far, in the mean square, a policy's answers lie from the best ones."""
    seen = np.linspace(-0.9, 0.9, 19, dtype=np.float32)
    answers = np.concatenate([training.policy.act(each) for each in seen[:, None]])
    return float(np.square(answers + seen).mean())
