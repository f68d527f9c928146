"""An actor-critic for one seat of a game that learns from a replay memory: TD3, resumable bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from sparring.arrays import briefly
from sparring.contracts import Space
from sparring.games.env import SeatEnv
from sparring.learning.actor_critic.memory import ReplayMemory, empty_memory, unpack_memory
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.actor_critic.updates import Networks, UpdateSettings, pack_networks, unpack_networks
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import Encoder
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.snapshot import Codec, Snapshot, pack_fields, unpack_fields
from sparring.validation import check_at_least_one

USUAL = UpdateSettings()


class ActorCriticTraining(NamedTuple):
    """The state of a training."""

    networks: Networks
    memory: ReplayMemory
    env: Snapshot
    """The game between two steps."""
    steps: int
    episode: int
    """The episode that is being played."""
    running: float
    """The sum of its rewards so far."""
    returns: tuple[float, ...]
    """The return of each episode that ended."""
    keeps_start: bool = False
    """Whether the policy is the start, since training did not improve on it."""

    def __repr__(self) -> str:
        return briefly(self)

    def count_step(self, env: SeatEnv, *, reward: float, is_over: bool, seed: int) -> "ActorCriticTraining":
        """Return the state with a step counted; an episode that is over is followed by the next one."""
        state = self._replace(steps=self.steps + 1, running=self.running + float(np.float32(reward)))
        if not is_over:
            return state
        env.np_random = stream(seed, "episode", state.episode + 1)
        env.reset()
        return state._replace(episode=state.episode + 1, running=0.0, returns=(*state.returns, state.running))


@dataclass(frozen=True)
class ActorCritic:
    """Learns the policy of one seat, from scratch or from an existing policy."""

    settings: UpdateSettings = USUAL
    batch: int = 256
    memory: int = 50_000
    """The capacity of the replay memory, in steps."""
    warmup: int = 500
    """Steps before anything is learned: with uniform actions, or with those of `start`."""
    pace: int = 5
    """Steps for each gradient step."""
    noise: float = 0.1
    """The standard deviation of the noise on actions."""
    start: PolicyNetwork | None = None
    """A policy that the actor imitates at first; the critics learn its value before the actor moves."""
    imitation: int = 1000
    """Gradient steps of the imitation."""
    critic_updates: int = 500
    """Gradient steps of the critics before the actor of a start moves."""
    encoder: Encoder | None = None
    """Encodes the observation for the networks; None passes the observation itself."""
    trials: int = 5
    """Fresh episodes in which the trained policy must do better than the start."""

    def __post_init__(self) -> None:
        names = ("batch", "memory", "pace", "imitation", "trials")
        check_at_least_one("actor_critic", **{name: getattr(self, name) for name in names})

    def initial(self, task: LearningTask, *, seed: int) -> ActorCriticTraining:
        return begin_training(task, self._seat(task), capacity=self.memory, seed=seed)

    def improve(self, state: ActorCriticTraining, task: LearningTask, *, steps: int, seed: int) -> ActorCriticTraining:
        env, seat, until = _env(task), self._seat(task), state.steps + steps
        env.restore(state.env)
        while state.steps < until:
            state = self._step(state, env, seat=seat, seed=seed)
            if state.steps == self.warmup and self.start is not None:
                state = state._replace(networks=self._imitated(state, self.start, seat=seat, seed=seed))
            if state.steps >= self.warmup and state.steps % self.pace == 0:
                state = state._replace(networks=_updated(state, seat, seed=seed))
        return state._replace(env=env.snapshot())

    def choose(self, state: ActorCriticTraining, task: LearningTask, *, seed: int) -> ActorCriticTraining:
        """Return the state whose policy is the start where the trained one is not better in common fresh episodes."""
        keeps = self._seat(task).keeps_start(state.networks, task, trials=self.trials, seed=seed)
        return state._replace(keeps_start=keeps)

    def policies(self, state: ActorCriticTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        start = self.start if state.keeps_start else None
        return {task.seat: start or self._seat(task).actor(state.networks)}

    def codec(self, task: LearningTask) -> Codec[ActorCriticTraining]:
        return actor_critic_codec(self._seat(task))

    def _seat(self, task: LearningTask) -> ActorCriticSeat:
        return ActorCriticSeat(
            task.space, self.settings, self.batch, self.noise, self.start, self.imitation, self.encoder
        )

    def _step(
        self, state: ActorCriticTraining, env: SeatEnv, *, seat: ActorCriticSeat, seed: int
    ) -> ActorCriticTraining:
        seen, rng = env.match.seen(env.seat), stream(seed, "exploration", state.steps)
        policy = seat.actor(state.networks) if state.steps >= self.warmup else self.start
        action = seat.explore(seen, policy, rng=rng)
        after, reward, is_terminated, is_truncated, _ = env.step(action)
        # The objective is the return of an episode: the horizon is its end.
        is_over = is_terminated or is_truncated
        seen, after = seat.remember(seen), seat.remember(after)
        memory = state.memory.add([seen], [action], reward=reward, following=[after], ended=is_over)
        return state._replace(memory=memory).count_step(env, reward=reward, is_over=is_over, seed=seed)

    def _imitated(
        self, state: ActorCriticTraining, start: PolicyNetwork, *, seat: ActorCriticSeat, seed: int
    ) -> Networks:
        """Return networks whose actor imitates the starting policy, with critics of its value."""
        state = state._replace(networks=seat.imitating(state.networks, start, state.memory.observations))
        for _ in range(self.critic_updates):
            state = state._replace(networks=_updated(state, seat, seed=seed, moves_actors=False))
        return state.networks


def begin_training(task: LearningTask, seat: ActorCriticSeat, *, capacity: int, seed: int) -> ActorCriticTraining:
    """Return the state before the first step, with a memory of `capacity` steps."""
    env = _env(task)
    env.np_random = stream(seed, "episode", 0)
    env.reset()
    networks = seat.architecture.initial(stream(seed, "networks"))
    return ActorCriticTraining(networks, empty_memory([seat.remembered], capacity), env.snapshot(), 0, 0, 0.0, ())


def actor_critic_codec(seat: ActorCriticSeat) -> Codec[ActorCriticTraining]:
    """Return how the training of a seat is written to disk, and read again."""
    return Codec(_pack, partial(_unpack, space=seat.remembered))


def _env(task: LearningTask) -> SeatEnv:
    return SeatEnv(task.game, task.seat, opponents=task.opponents)


def _updated(state: ActorCriticTraining, seat: ActorCriticSeat, *, seed: int, moves_actors: bool = True) -> Networks:
    rng = stream(seed, "update", state.networks.updates)
    return seat.updated(state.networks, state.memory, rng=rng, moves_actors=moves_actors)


def _pack(state: ActorCriticTraining) -> Snapshot:
    parts = {"networks": pack_networks(state.networks), "memory": state.memory.pack()}
    return pack_fields(state._asdict() | parts)


def _unpack(packed: Snapshot, space: Space) -> ActorCriticTraining:
    state = unpack_fields(packed, kind=ActorCriticTraining, parts=("networks", "memory", "env"))
    memory = unpack_memory(packed.part("memory"), [space])
    return state._replace(networks=unpack_networks(packed.part("networks")), memory=memory)
