"""A Stable-Baselines3 algorithm that trains in chunks and can be saved between them."""

from typing import Any, Protocol

import numpy as np
from safetensors.torch import load, save
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.learner import Training
from sparring.learning.sb3.global_streams import capture_streams, global_streams, seed_streams
from sparring.learning.sb3.snapshot import pack_algorithm, unpack_algorithm
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.snapshot import Snapshot, merge

NEVER = 10**12
"""A number of episodes so large that Stable-Baselines3 never prints."""
ALGORITHM, STREAMS, ENVIRONMENT = "algorithm", "streams", "environment"
"""The parts of a snapshot."""


class Settings(Protocol):
    """An algorithm's hyperparameters."""

    def check(self, space: Space, *, environments: int) -> None:
        """Reject, before training, settings that do not fit the game."""

    def algorithm(self, environments: VecEnv) -> BaseAlgorithm:
        """Return an untrained learner."""

    def policy(self, algorithm: BaseAlgorithm) -> PolicyNetwork:
        """Return a copy of the learner's deterministic policy."""


class Scores:
    """Accumulates the rewards of episodes."""

    def __init__(self, environments: int) -> None:
        self.running = [0.0] * environments
        self.finished: list[float] = []

    def add(self, variables: dict[str, Any], _: dict[str, Any]) -> bool:
        """Record one step, given Stable-Baselines3's local variables; return True, which continues the training."""
        for index, (reward, is_over) in enumerate(zip(variables["rewards"], variables["dones"], strict=True)):
            self.running[index] += float(np.float32(reward))
            if is_over:
                self.finished.append(self.running[index])
                self.running[index] = 0.0
        return True


class SB3Learner:
    """An algorithm with its environments, and its own states of the global random generators."""

    def __init__(self, settings: Settings, environments: VecEnv, *, seed: int) -> None:
        self.settings = settings
        self.environments = environments
        self.origin = f"{settings}, {environments.num_envs} environments, seed {seed}"
        self.scores = Scores(environments.num_envs)
        with global_streams(seed_streams(stream(seed, "learner"))):
            self.algorithm = settings.algorithm(environments)
            self.streams = capture_streams()
        self.algorithm.set_logger(Logger(folder=None, output_formats=[]))
        self.algorithm.action_space.np_random.bit_generator.state = stream(seed, "warmup").bit_generator.state

    @property
    def steps(self) -> int:
        """Number of steps so far, summed over all environments."""
        return self.algorithm.num_timesteps

    def learn(self, steps: int) -> None:
        """Train until at least `steps` steps have been made in total."""
        with global_streams(self.streams):
            self.algorithm.learn(
                steps - self.steps,
                callback=self.scores.add,
                log_interval=NEVER,
                reset_num_timesteps=False,
            )
            self.streams = capture_streams()

    def training(self) -> Training:
        """Return the progress, with the returns of the episodes that ended since the last call."""
        policy, returns = self.settings.policy(self.algorithm), tuple(self.scores.finished)
        self.scores.finished.clear()
        return Training(self._pack(), self.steps, returns, policy)

    def restore(self, packed: Snapshot) -> None:
        """Resume from another learner's snapshot."""
        if packed.numbers["origin"] != self.origin:
            raise ConfigError(f"start comes from {packed.numbers['origin']}; this is {self.origin}, use an equal one")
        unpack_algorithm(self.algorithm, packed.part(ALGORITHM))
        self.streams = packed.part(STREAMS)
        self.scores.running = list(packed.numbers["running"])
        for index in range(self.environments.num_envs):
            tensors, numbers = packed.part(f"{ENVIRONMENT}{index}")
            self.environments.env_method("receive", save(tensors), numbers, indices=index)

    def _pack(self) -> Snapshot:
        parts = {ALGORITHM: pack_algorithm(self.algorithm), STREAMS: self.streams}
        for index, (content, numbers) in enumerate(self.environments.env_method("sent")):
            parts[f"{ENVIRONMENT}{index}"] = Snapshot(load(content), numbers)
        return merge(parts, running=list(self.scores.running), origin=self.origin)
