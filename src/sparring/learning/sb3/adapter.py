"""An algorithm of Stable-Baselines3 that works in chunks, and stands still in between."""

from typing import Any, NamedTuple, Protocol

import numpy as np
from safetensors.torch import load, save
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from sparring.arrays import briefly
from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.sb3.global_streams import captured, global_streams, seeded
from sparring.learning.sb3.snapshot import pack_algorithm, unpack_algorithm
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.snapshot import Snapshot, merge

NEVER = 10**12
"""Episodes after which Stable-Baselines3 would print."""
ALGORITHM, STREAMS, ENVIRONMENT = "algorithm", "streams", "environment"
"""The parts of a snapshot."""


class Settings(Protocol):
    """An algorithm and its numbers."""

    def check(self, space: Space, *, environments: int) -> None:
        """Refuse, before anything runs, what cannot be learned by."""

    def algorithm(self, environments: VecEnv) -> BaseAlgorithm:
        """Return a learner that knows nothing yet."""

    def policy(self, algorithm: BaseAlgorithm) -> PolicyNetwork:
        """Return a copy of what it would do without exploring."""


class Training(NamedTuple):
    """Where training stands after a chunk."""

    packed: Snapshot
    """All that is needed to go on."""
    steps: int
    """Steps in games, those of all environments added up."""
    returns: tuple[float, ...]
    """The sum of the rewards of each episode that ended since the last snapshot."""
    policy: PolicyNetwork

    def __repr__(self) -> str:
        return briefly(self)


class Scores:
    """Adds up the rewards of episodes."""

    def __init__(self, environments: int) -> None:
        self.running = [0.0] * environments
        self.finished: list[float] = []

    def add(self, told: dict[str, Any], _: dict[str, Any]) -> bool:
        """Take note of a step, of which Stable-Baselines3 tells by its local variables; it goes on if this is true."""
        for place, (reward, is_over) in enumerate(zip(told["rewards"], told["dones"], strict=True)):
            self.running[place] += float(np.float32(reward))
            if is_over:
                self.finished.append(self.running[place])
                self.running[place] = 0.0
        return True


class SB3Learner:
    """An algorithm with its games, and with the global random states that are its own."""

    def __init__(self, settings: Settings, environments: VecEnv, *, seed: int) -> None:
        self.settings = settings
        self.environments = environments
        self.origin = f"{settings}, {environments.num_envs} environments, seed {seed}"
        self.scores = Scores(environments.num_envs)
        with global_streams(seeded(stream(seed, "learner"))):
            self.algorithm = settings.algorithm(environments)
            self.streams = captured()
        self.algorithm.set_logger(Logger(folder=None, output_formats=[]))
        self.algorithm.action_space.np_random.bit_generator.state = stream(seed, "warmup").bit_generator.state

    @property
    def steps(self) -> int:
        """How many steps it has made, those of all environments added up."""
        return self.algorithm.num_timesteps

    def learn(self, steps: int) -> None:
        """Go on until at least `steps` steps have been made."""
        with global_streams(self.streams):
            self.algorithm.learn(
                steps - self.steps,
                callback=self.scores.add,
                log_interval=NEVER,
                reset_num_timesteps=False,
            )
            self.streams = captured()

    def training(self) -> Training:
        """Return where it stands, and which episodes have ended since this was last asked."""
        policy, returns = self.settings.policy(self.algorithm), tuple(self.scores.finished)
        self.scores.finished.clear()
        return Training(self._packed(), self.steps, returns, policy)

    def restore(self, packed: Snapshot) -> None:
        """Go on from where another learner stood."""
        if packed.numbers["origin"] != self.origin:
            raise ConfigError(
                f"start comes from {packed.numbers['origin']}; this is {self.origin}, use a start of its own"
            )
        unpack_algorithm(self.algorithm, packed.part(ALGORITHM))
        self.streams = packed.part(STREAMS)
        self.scores.running = list(packed.numbers["running"])
        for place in range(self.environments.num_envs):
            tensors, numbers = packed.part(f"{ENVIRONMENT}{place}")
            self.environments.env_method("receive", save(tensors), numbers, indices=place)

    def _packed(self) -> Snapshot:
        parts = {ALGORITHM: pack_algorithm(self.algorithm), STREAMS: self.streams}
        for place, (content, numbers) in enumerate(self.environments.env_method("sent")):
            parts[f"{ENVIRONMENT}{place}"] = Snapshot(load(content), numbers)
        return merge(parts, running=list(self.scores.running), origin=self.origin)
