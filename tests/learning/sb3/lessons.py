"""Short trainings, and what comes of them, for the tests of every learner."""

import hashlib
import json

import numpy as np
from safetensors.torch import load, save

from sparring.learning.sb3 import PPOSettings, TD3Settings, Training, train
from sparring.learning.training_env import LearningTask
from sparring.snapshot import Snapshot
from tests.games.small_games import Tracking

TD3 = TD3Settings(hidden=(8, 8), batch=16, warmup=20, pace=4)
PPO = PPOSettings(hidden=(8, 8), rollout=16, batch=8, epochs=2)


def arena(game: Tracking | None = None, **settings) -> LearningTask:
    return LearningTask(Tracking() if game is None else game, "player", **settings)


def lesson(settings, *, start: Snapshot | None = None, steps: int = 96, every: int = 32, **arena_settings):
    """Train in chunks."""
    return train(arena(**arena_settings), settings, steps=steps, every=every, seed=7, start=start)


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
