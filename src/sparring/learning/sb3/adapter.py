"""The algorithms of Stable-Baselines3 as learners: state in, state out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from sparring.arrays import briefly
from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.sb3.global_streams import capture_streams, global_streams, seed_streams
from sparring.learning.sb3.snapshot import pack_algorithm, unpack_algorithm
from sparring.learning.training_env import LearningTask, make_vec_env
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.snapshot import Codec, Snapshot, merge, pack_fields, unpack_fields

NEVER = 10**12
"""A number of episodes so large that Stable-Baselines3 never prints."""
PARTS = ("algorithm", "streams", "environments")
"""The fields of a state that are snapshots."""


class Settings(Protocol):
    """An algorithm's hyperparameters."""

    def check(self, space: Space, *, environments: int) -> None:
        """Reject, before training, settings that do not fit the game."""

    def algorithm(self, environments: VecEnv) -> BaseAlgorithm:
        """Return an untrained algorithm."""

    def policy(self, packed: Snapshot) -> PolicyNetwork:
        """Return the deterministic policy of a packed algorithm."""


class SB3Training(NamedTuple):
    """The state of a training."""

    algorithm: Snapshot
    """Networks, optimizers, counters, replay buffer and the latest observations."""
    streams: Snapshot
    """The states of the global random generators, which the algorithm draws from."""
    environments: Snapshot
    running: tuple[float, ...]
    """The sum of the rewards so far, in the episode of each environment."""
    returns: tuple[float, ...]
    origin: str
    """The settings, the number of environments and the seed."""

    @property
    def steps(self) -> int:
        """Number of steps so far, summed over all environments."""
        return int(self.algorithm.numbers["num_timesteps"])

    def __repr__(self) -> str:
        return briefly(self)


class Scores:
    """Accumulates the rewards of episodes."""

    def __init__(self, running: tuple[float, ...]) -> None:
        self.running = list(running)
        self.finished: list[float] = []

    def add(self, variables: dict[str, Any], _: dict[str, Any]) -> bool:
        """Record one step, given Stable-Baselines3's local variables; return True, which continues the training."""
        for index, (reward, is_over) in enumerate(zip(variables["rewards"], variables["dones"], strict=True)):
            self.running[index] += float(np.float32(reward))
            if is_over:
                self.finished.append(self.running[index])
                self.running[index] = 0.0
        return True


@dataclass(frozen=True)
class SB3Learner:
    """Learns by an algorithm of Stable-Baselines3.

    `improve` ends with the first gradient step (TD3) or rollout (PPO) after its steps.
    """

    settings: Settings

    def initial(self, task: LearningTask, *, seed: int) -> SB3Training:
        self.settings.check(task.space, environments=task.environments)
        environments = make_vec_env(task, seed=seed)
        algorithm, streams = self._begin(environments, seed=seed)
        nothing, origin = Snapshot({}, {}), self._origin(task, seed)
        begun = SB3Training(nothing, streams, nothing, (0.0,) * task.environments, (), origin)
        return _learn(begun, algorithm, environments, steps=0)  # resets the environments

    def improve(self, state: SB3Training, task: LearningTask, *, steps: int, seed: int) -> SB3Training:
        origin = self._origin(task, seed)
        if state.origin != origin:
            raise ConfigError(f"start comes from {state.origin}; this is {origin}, use an equal one")
        environments = make_vec_env(task, seed=seed)
        algorithm, _ = self._begin(environments, seed=seed)
        unpack_algorithm(algorithm, state.algorithm)
        for index in range(task.environments):
            environments.env_method("restore", state.environments.part(str(index)), indices=index)
        return _learn(state, algorithm, environments, steps=steps)

    def choose(self, state: SB3Training, task: LearningTask, *, seed: int) -> SB3Training:
        """Return the state: the latest policy is the only one."""
        return state

    def policies(self, state: SB3Training, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        return {task.seat: self.settings.policy(state.algorithm)}

    def codec(self, task: LearningTask) -> Codec[SB3Training]:
        return Codec(lambda state: pack_fields(state._asdict()), partial(unpack_fields, kind=SB3Training, parts=PARTS))

    def _begin(self, environments: VecEnv, *, seed: int) -> tuple[BaseAlgorithm, Snapshot]:
        """Return an untrained algorithm, and the global generators after it was made."""
        with global_streams(seed_streams(stream(seed, "learner"))):
            algorithm = self.settings.algorithm(environments)
            streams = capture_streams()
        algorithm.set_logger(Logger(folder=None, output_formats=[]))
        algorithm.action_space.np_random.bit_generator.state = stream(seed, "warmup").bit_generator.state
        return algorithm, streams

    def _origin(self, task: LearningTask, seed: int) -> str:
        return f"{self.settings}, {task.environments} environments, seed {seed}"


def _learn(state: SB3Training, algorithm: BaseAlgorithm, environments: VecEnv, *, steps: int) -> SB3Training:
    """Return the state after at least `steps` more steps."""
    scores = Scores(state.running)
    with global_streams(state.streams):
        algorithm.learn(steps, callback=scores.add, log_interval=NEVER, reset_num_timesteps=False)
        streams = capture_streams()
    games = {str(index): packed for index, packed in enumerate(environments.env_method("snapshot"))}
    return state._replace(
        algorithm=pack_algorithm(algorithm),
        streams=streams,
        environments=merge(games),
        running=tuple(scores.running),
        returns=(*state.returns, *scores.finished),
    )
