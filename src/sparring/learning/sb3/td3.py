"""TD3 (Fujimoto et al., 2018): off-policy learning with an actor and two critics, of which the smaller value counts."""

from dataclasses import dataclass

import numpy as np
from stable_baselines3 import TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import VecEnv

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.sb3.ranges import AMOUNT, COUNT, RATE, SHARE, refuse_outside
from sparring.learning.sb3.snapshot import linear_layers
from sparring.policies.network import PolicyNetwork
from sparring.snapshot import Snapshot

BUFFER_BYTES = 512 * 2**20
NUMBER_BYTES = 4


@dataclass(frozen=True)
class TD3Settings:
    """Hyperparameters of an actor and its critics."""

    hidden: tuple[int, ...] = (256, 128)
    """Units of the hidden layers, the same in the actor and in the critics."""
    lr: float = 1e-3
    batch: int = 256
    buffer: int = 50_000
    """Steps in the replay buffer."""
    warmup: int = 500
    """Initial steps with uniform actions, before learning starts."""
    pace: int = 5
    """Environment steps per gradient step."""
    discount: float = 0.99
    averaging: float = 0.005
    """Weight of the new parameters in the target networks' moving average."""
    noise: float = 0.1
    """Standard deviation of the exploration noise on actions."""

    def __post_init__(self) -> None:
        counts = dict.fromkeys(("batch", "buffer", "pace"), COUNT)
        shares = dict.fromkeys(("discount", "averaging"), SHARE)
        others = {"lr": RATE, "warmup": AMOUNT, "noise": AMOUNT}
        refuse_outside(self, "td3", ranges={**counts, **shares, **others}, units=self.hidden)

    def check(self, space: Space, *, environments: int) -> None:
        """Reject a replay buffer of more than 512 MiB."""
        largest = largest_buffer(space)
        if self.buffer > largest:
            raise ConfigError(
                f"td3.buffer is {self.buffer}; with {space.observation} numbers seen at each step it takes "
                f"{self.buffer * _row_bytes(space) / 2**20:.0f} MiB, and {BUFFER_BYTES / 2**20:.0f} are allowed: "
                f"use at most {largest}, or let the seat see fewer layers"
            )

    def algorithm(self, environments: VecEnv) -> TD3:
        actions = environments.action_space.shape or ()
        return TD3(
            "MlpPolicy",
            environments,
            learning_rate=self.lr,
            buffer_size=self.buffer,
            learning_starts=self.warmup,
            batch_size=self.batch,
            tau=self.averaging,
            gamma=self.discount,
            train_freq=self.pace,
            gradient_steps=environments.num_envs,
            action_noise=NormalActionNoise(np.zeros(actions), np.full(actions, self.noise)),
            # An episode ends at its horizon (`LearnerEnv`), so the next observation is the next row: half the memory.
            optimize_memory_usage=True,
            replay_buffer_kwargs={"handle_timeout_termination": False},
            policy_kwargs={"net_arch": list(self.hidden)},
            device="cpu",
        )

    def policy(self, packed: Snapshot) -> PolicyNetwork:
        return PolicyNetwork(linear_layers(packed, "policy/actor.mu"), hidden="relu", squash="tanh")


def largest_buffer(space: Space) -> int:
    """Return how many steps a replay buffer may hold."""
    return BUFFER_BYTES // _row_bytes(space)


def _row_bytes(space: Space) -> int:
    return NUMBER_BYTES * (space.observation + space.action + 3)  # reward, done and timeout


RLA_CODE = TD3Settings(hidden=(256, 128), lr=1e-7, batch=256, buffer=100_000, warmup=100, pace=1, discount=1.0)
"""The code of Li et al. (2022). It learns after every five steps, with five gradient steps: as many as steps, the
default of the version that it requires, Stable-Baselines3 1.3.0. An Adam step of this learning rate changes a weight by
about 1e-7; 40 000 of them, half of its 80 000 training steps, change it by 0.004."""
MSG = TD3Settings(hidden=(400, 300), lr=1e-3, batch=256, buffer=100_000, warmup=100, pace=1, discount=0.99)
"""Appendix C of the meta-Stackelberg game; unstated values are Stable-Baselines3's, except for the buffer and noise."""
