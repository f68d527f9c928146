"""TD3 (Fujimoto et al., 2018): two critics, and an actor that follows the more careful one, learned off policy."""

from dataclasses import dataclass

import numpy as np
from stable_baselines3 import TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import VecEnv

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.sb3.layers import layers
from sparring.learning.sb3.ranges import AMOUNT, COUNT, RATE, SHARE, refuse_outside
from sparring.policies.network import PolicyNetwork

BUFFER_BYTES = 512 * 2**20
NUMBER_BYTES = 4


@dataclass(frozen=True)
class TD3Settings:
    """How an actor and its critics learn."""

    hidden: tuple[int, ...] = (256, 128)
    """Units of the hidden layers, the same in the actor and in the critics."""
    lr: float = 1e-3
    batch: int = 256
    buffer: int = 50_000
    """Steps that are remembered."""
    warmup: int = 500
    """Steps with uniform actions, before anything is learned."""
    pace: int = 5
    """Steps for each gradient step."""
    discount: float = 0.99
    averaging: float = 0.005
    """The share of the new weights in the targets' moving average."""
    noise: float = 0.1
    """Standard deviation of the noise on actions while learning."""

    def __post_init__(self) -> None:
        counts = dict.fromkeys(("batch", "buffer", "pace"), COUNT)
        shares = dict.fromkeys(("discount", "averaging"), SHARE)
        others = {"lr": RATE, "warmup": AMOUNT, "noise": AMOUNT}
        refuse_outside(self, "td3", ranges={**counts, **shares, **others}, units=self.hidden)

    def check(self, space: Space, *, environments: int) -> None:
        """Refuse a replay buffer that would take more than 512 MiB."""
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
            # Here an episode's horizon is its end (`SentEnv`): half the memory, as what is seen next is the row after.
            optimize_memory_usage=True,
            replay_buffer_kwargs={"handle_timeout_termination": False},
            policy_kwargs={"net_arch": list(self.hidden)},
            device="cpu",
        )

    def policy(self, algorithm: BaseAlgorithm) -> PolicyNetwork:
        assert isinstance(algorithm, TD3)
        return PolicyNetwork(layers(algorithm.actor.mu), hidden="relu", squash="tanh")


def largest_buffer(space: Space) -> int:
    """Return how many steps a replay buffer may hold."""
    return BUFFER_BYTES // _row_bytes(space)


def _row_bytes(space: Space) -> int:
    return NUMBER_BYTES * (space.observation + space.action + 3)  # a reward, whether it ended, and why


RLA_CODE = TD3Settings(hidden=(256, 128), lr=1e-7, batch=256, buffer=100_000, warmup=100, pace=1, discount=1.0)
"""The code of Li et al. (2022), which learns after every five steps, and then makes five gradient steps: those are the
default of the version that it asks for, Stable-Baselines3 1.3.0, as many as steps. An Adam step of this learning rate
moves a weight by about 1e-7, 40 000 of them, half of the 80 000 steps that it trains for, by 0.004."""
MSG = TD3Settings(hidden=(400, 300), lr=1e-3, batch=256, buffer=100_000, warmup=100, pace=1, discount=0.99)
"""Appendix C of the meta-Stackelberg game; what it leaves open is Stable-Baselines3's, but for the buffer and noise."""
