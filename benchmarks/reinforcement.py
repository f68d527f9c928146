"""Milliseconds of TD3 with the last layer of the CNN as observation: a gradient step, and the rest of a step."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from stable_baselines3.common.logger import Logger
from torch import Tensor, nn

from benchmarks.timing import interleaved
from sparring.arrays import FloatArray
from sparring.contracts import Space
from sparring.learning.sb3 import TD3Settings
from sparring.learning.sb3.adapter import NEVER
from sparring.learning.training_env import LearningTask, make_vec_env
from sparring.random import Generator
from sparring.snapshot import Codec, Snapshot

SEAT = "attacker"
SETTINGS = TD3Settings(warmup=0)


class Idle:
    """A game without computation, whose state is its observation: all measured time is overhead."""

    seats: ClassVar[Mapping[str, Space]] = {SEAT: Space(observation=1291, action=3)}

    def initial(self, rng: Generator) -> FloatArray:
        return rng.uniform(-1, 1, self.seats[SEAT].observation).astype(np.float32)

    def observe(self, state: FloatArray, seat: str) -> FloatArray:
        return state

    def transition(self, state: FloatArray, actions: Mapping[str, FloatArray], *, rng: Generator) -> FloatArray:
        return state

    def reward(self, before: FloatArray, after: FloatArray, *, seat: str) -> float:
        return 0.0

    def is_over(self, state: FloatArray) -> bool:
        return False

    @property
    def codec(self) -> Codec[FloatArray]:
        return Codec(
            lambda state: Snapshot({"seen": torch.from_numpy(state)}, {}), lambda packed: packed.tensors["seen"].numpy()
        )


class PlainSteps:
    """TD3's gradient steps in plain torch on one batch: only the arithmetic, without overhead."""

    def __init__(self, settings: TD3Settings) -> None:
        self.settings, (seen, done, *_) = settings, Idle.seats[SEAT]
        generator = torch.Generator().manual_seed(0)
        self.seen, self.following = (torch.rand(settings.batch, seen, generator=generator) for _ in range(2))
        self.actions = torch.rand(settings.batch, done, generator=generator)
        self.actor, self.late_actor = (network(settings, seen, done).append(nn.Tanh()) for _ in range(2))
        self.critics, self.late_critics = (
            nn.ModuleList(network(settings, seen + done, 1) for _ in range(2)) for _ in range(2)
        )
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=settings.lr)
        self.critic_optimizer = torch.optim.Adam(self.critics.parameters(), lr=settings.lr)

    def two_steps(self) -> None:
        """Update the critics twice, then the actor once."""
        for _ in range(2):
            with torch.no_grad():
                noise = torch.randn_like(self.actions).mul_(0.2).clamp_(-0.5, 0.5)
                answer = (self.late_actor(self.following) + noise).clamp_(-1, 1)
                wanted = torch.min(*self._values(self.late_critics, self.following, answer))
            values = self._values(self.critics, self.seen, self.actions)
            descend(self.critic_optimizer, sum(nn.functional.mse_loss(each, wanted) for each in values))
        value, _ = self._values(self.critics, self.seen, self.actor(self.seen))
        descend(self.actor_optimizer, -value.mean())
        for newer, late in ((self.actor, self.late_actor), (self.critics, self.late_critics)):
            for one, other in zip(newer.parameters(), late.parameters(), strict=True):
                other.data.lerp_(one.data, self.settings.averaging)

    def _values(self, critics: nn.ModuleList, seen: Tensor, actions: Tensor) -> list[Tensor]:
        both = torch.cat([seen, actions], dim=1)
        return [critic(both) for critic in critics]


def network(settings: TD3Settings, inputs: int, outputs: int) -> nn.Sequential:
    """Return a network with TD3's architecture."""
    sizes = [inputs, *settings.hidden]
    hidden = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], outputs))


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def measure(threads: int, *, repeats: int, settings: TD3Settings) -> str:
    """Return one row of the table."""
    torch.set_num_threads(threads)
    plain = PlainSteps(settings)
    learner, player = (settings.algorithm(make_vec_env(LearningTask(Idle(), SEAT), seed=0)) for _ in range(2))
    for each in (learner, player):
        each.set_logger(Logger(folder=None, output_formats=[]))
    learner.learn(settings.batch, log_interval=NEVER)
    player.gradient_steps = 0
    tasks = {
        "plain": plain.two_steps,
        "gradient": lambda: learner.train(2, settings.batch),
        "play": lambda: player.learn(settings.pace, log_interval=NEVER, reset_num_timesteps=False),
    }
    seconds = interleaved(tasks, repeats=repeats)
    gradient, bare, step = seconds["gradient"] / 2, seconds["plain"] / 2, seconds["play"] / settings.pace
    return f"{threads:<9}{1e3 * gradient:12.2f}{1e3 * bare:12.2f}{gradient / bare:11.2f}×{1e3 * step:12.2f}"


def main(*, repeats: int = 25, threads: Sequence[int] = (1, 2), settings: TD3Settings = SETTINGS) -> None:
    print(f"\nMilliseconds of TD3 at 1291 inputs, batch {settings.batch}: a gradient step, the same in plain torch,")
    print("and their ratio; and the rest of a step, in a game without computation.")
    print(f"{'threads':9}" + "".join(f"{name:>12}" for name in ("gradient", "plain", "to plain", "step")))
    for count in threads:
        print(measure(count, repeats=repeats, settings=settings), flush=True)


if __name__ == "__main__":
    main()
