"""What learning a defense pays for: a step of meta-learning and its parts, and what schedules come to."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import torch

from sparring.contracts import Model
from sparring.experiments.config.sections import Section
from sparring.experiments.hardening.request import read_hardening
from sparring.experiments.hardening.run_hardening import META
from sparring.experiments.hardening.world import SimulatedWorld, simulate_world
from sparring.federation import initial_state, play_round
from sparring.games.federated import DEFENDER, FederatedGame, robust_objective, typed_games
from sparring.learning.actor_critic.memory import empty_memory
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.evaluation import EpisodeCall, play_episode
from sparring.learning.training_env import LearningTask
from sparring.policies.network import constant_policy
from sparring.random import stream
from sparring.training import keep_freed_memory

SETTINGS: Mapping[str, Section] = {
    "mnist, cnn 8": {
        "data": {"name": "mnist"},
        "model": {"name": "cnn", "width": 8},
        "federation": {"clients": 100},
        "domain": "meta_rl",
        "harden": {"clients": 10, "reward": "level"},
    },
    "digits, logistic": {"data": {"name": "digits"}, "model": {"name": "logistic"}, "federation": {"clients": 50}},
}
CORES = 2


class Schedule(NamedTuple):
    """Iterations, types of each, rounds of an episode, and gradient steps of each adaptation (MSG, appendix C)."""

    iterations: int
    types: int
    rounds: int
    updates: int = 10


SCHEDULES: Mapping[str, Schedule] = {"published": Schedule(100, 10, 200), "laptop": Schedule(40, 4, 100)}


class Parts(NamedTuple):
    """CPU seconds."""

    bare: float
    """A round without an attack under the mean."""
    step: float
    """A step of the games, as the mean over the types."""
    reward: float
    """The reward of a step, which is part of it."""
    update: float
    """A gradient step of TD3."""

    def minutes(self, schedule: Schedule) -> float:
        """Return the minutes of a schedule on several cores, which types share evenly."""
        episode = schedule.rounds * self.step + schedule.updates * self.update
        return schedule.iterations * schedule.types * episode / CORES / 60


def _time(call: Callable[[], object], *, repeats: int) -> float:
    """Return the CPU seconds of a call, after one that is not counted."""
    call()
    begin = time.process_time()
    for _ in range(repeats):
        call()
    return (time.process_time() - begin) / repeats


def measure(world: SimulatedWorld, *, rounds: int, repeats: int) -> Parts:
    """Return the times of the parts of meta-learning in a world."""
    games = {name: typed.game for name, typed in typed_games(world.scenario, world.domain, world.terms).items()}
    game = next(iter(games.values()))
    return Parts(
        bare=_bare_round(world, rounds=rounds),
        step=sum(_game_step(each, repeats=repeats) for each in games.values()) / len(games),
        reward=_reward(world, repeats=rounds),
        update=_update(game, repeats=rounds),
    )


def _bare_round(world: SimulatedWorld, *, rounds: int) -> float:
    """Return the time of a round in the first type's federation, without an attack."""
    federation = next(iter(world.domain.values())).world
    assert federation is not None
    scenario = replace(world.scenario, federation=federation)
    state = initial_state(federation)
    state, _ = play_round(scenario, state)
    begin = time.process_time()
    for _ in range(rounds):
        state, _ = play_round(scenario, state)
    return (time.process_time() - begin) / rounds


def _game_step(game: FederatedGame, *, repeats: int) -> float:
    """Return the time of a step of one game."""
    task = LearningTask(game, DEFENDER)
    policy = constant_policy(task.space)
    play_episode(EpisodeCall([policy], 0, "warming up", 0), task)
    begin, steps = time.process_time(), 0
    for number in range(repeats):
        steps += play_episode(EpisodeCall([policy], 0, "bench", number), task)[0].steps
    return (time.process_time() - begin) / steps


def _reward(world: SimulatedWorld, *, repeats: int) -> float:
    """Return the time of a reward that sees a backdoor."""
    typed = next(each for each in world.domain.values() if each.backdoors)
    assert typed.world is not None
    federation = replace(typed.world, root=world.scenario.federation.test)
    objective = robust_objective(federation, typed.backdoors)
    model = Model(federation.network, initial_state(federation).parameters)
    return _time(lambda: objective.value(model), repeats=repeats)


def _update(game: FederatedGame, *, repeats: int) -> float:
    """Return the time of a gradient step of TD3 on a full batch."""
    seat = ActorCriticSeat(game.seats[DEFENDER], META.settings, META.batch, META.noise)
    memory, rng = empty_memory([seat.remembered], META.batch), stream(0, "memory")
    sizes = seat.remembered
    for _ in range(META.batch):
        seen, after = (rng.standard_normal(sizes.observation, dtype="float32") for _ in range(2))
        action = rng.uniform(-1, 1, sizes.action).astype("float32")
        memory = memory.add([seen], [action], reward=0.5, following=[after], ended=False)
    networks = seat.architecture.initial(stream(0, "networks"))
    return _time(lambda: seat.updated(networks, memory, rng=stream(0, "update")), repeats=repeats)


def main(*, settings: Mapping[str, Section] = SETTINGS, rounds: int = 50, repeats: int = 2) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    print("\nLearning a defense: milliseconds of a bare round, of a step of the games (mean over the domain) and its")
    print(f"ratio to the round, of the reward in it, of a gradient step of TD3; minutes of schedules on {CORES} cores.")
    print(f"{'setting':18}{'round':>7}{'step':>7}{'ratio':>7}{'reward':>8}{'update':>8}", *SCHEDULES, sep="  ")
    for name, document in settings.items():
        parts = measure(simulate_world(read_hardening(document, effort=1)), rounds=rounds, repeats=repeats)
        bare, step, reward, update = (1000 * seconds for seconds in parts)
        minutes = (f"{parts.minutes(schedule):{len(label)}.0f}" for label, schedule in SCHEDULES.items())
        line = f"{name:18}{bare:7.1f}{step:7.1f}{step / bare:6.2f}×{reward:8.2f}{update:8.2f}"
        print(line, *minutes, sep="  ", flush=True)


if __name__ == "__main__":
    main()
