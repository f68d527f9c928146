"""Gradient steps of a team's learners: CMADDPG and multi-agent TD3 with 50 seats, in steps of TD3 with one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from benchmarks.timing import interleaved
from sparring.arrays import FloatArray
from sparring.contracts import Space, Team
from sparring.learning.actor_critic import UpdateSettings
from sparring.learning.actor_critic.memory import ReplayMemory, empty_memory
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.multi_agent.cmaddpg import CMADDPG, MULTI_AGENT_TD3
from sparring.random import Generator, stream


@dataclass(frozen=True)
class TeamSizes:
    """The team, and what its members see."""

    seats: int = 50
    sampled: int = 200
    clients: int = 1000
    observation: int = 171
    hidden: tuple[int, ...] = (64, 64)
    batch: int = 256


def observe(sizes: TeamSizes, present: int, rng: Generator) -> FloatArray:
    """Return a random observation of a round with this many members."""
    seen = rng.uniform(-1, 1, sizes.observation).astype(np.float32)
    seen[-1] = present / sizes.sampled
    return seen


def fill(space: Space, sizes: TeamSizes) -> ReplayMemory:
    """Return a memory of rounds with as many members as sampling draws."""
    rng, memory = stream(0, "memory"), empty_memory([space], sizes.batch)
    for _ in range(sizes.batch):
        present = int(rng.hypergeometric(sizes.seats, sizes.clients - sizes.seats, sizes.sampled))
        seen, after = (observe(sizes, present, rng) for _ in range(2))
        action = rng.uniform(-1, 1, space.action).astype(np.float32)
        memory = memory.add([seen], [action], reward=float(rng.random()), following=[after], ended=False)
    return memory


def make_step(space: Space, settings: UpdateSettings, sizes: TeamSizes) -> Callable[[], None]:
    """Return two gradient steps of a seat's learner, so that delayed actors move once."""
    seat = ActorCriticSeat(space, replace(settings, hidden=sizes.hidden), sizes.batch, 0.1)
    networks, memory = seat.architecture.initial(stream(0, "networks")), fill(space, sizes)

    def step() -> None:
        current = networks
        for _ in range(2):
            current = seat.updated(current, memory, rng=stream(0, "update"))

    return step


def main(*, repeats: int = 25, sizes: TeamSizes = TeamSizes()) -> None:
    torch.set_num_threads(1)
    single = Space(sizes.observation, 1)
    team = single._replace(action=sizes.seats, team=Team(sizes.seats, sizes.sampled))
    steps = {
        "TD3, one seat": make_step(single, UpdateSettings(), sizes),
        "CMADDPG": make_step(team, CMADDPG.settings, sizes),
        "multi-agent TD3": make_step(team, MULTI_AGENT_TD3.settings, sizes),
    }
    seconds = interleaved(steps, repeats=repeats)
    bare = seconds["TD3, one seat"]
    members = sizes.sampled * sizes.seats / sizes.clients
    print(f"\nA gradient step of a team of {sizes.seats}, {members:g} present on average, one thread: milliseconds,")
    print("and in steps of TD3 with one seat (limit 3).")
    for name, spent in seconds.items():
        print(f"{name:<18}{1e3 * spent / 2:8.2f}{spent / bare:8.2f}×", flush=True)


if __name__ == "__main__":
    main()
