"""Independent learners (IRL of MARL): each attacker learns alone, and neither knows nor tells its rank."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch.nn.functional import pad

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.learning.actor_critic.learner import ActorCriticTraining, actor_critic_codec, begin_training
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.actor_critic.updates import UpdateSettings
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.policies.team import RANK, present_count
from sparring.random import stream
from sparring.snapshot import Codec
from sparring.validation import check_at_least_one


@dataclass(frozen=True)
class IndependentLearners:
    """Learn what a member does that takes the others for a part of the game.

    Actor and critics see the team's observation and the action of one member. Members are alike to them, so that one
    pair of networks stands for all: it learns from what each member that is present does and gets. MARL trains one for
    each attacker.
    """

    settings: UpdateSettings
    batch: int = 256
    memory: int = 50_000
    """The capacity of the replay memory, in actions of members."""
    warmup: int = 500
    """Steps with uniform actions, before anything is learned."""
    pace: int = 5
    """Steps for each gradient step."""
    noise: float = 0.1
    """The standard deviation of the noise on actions."""

    def __post_init__(self) -> None:
        names = ("batch", "memory", "pace")
        check_at_least_one("independent", **{name: getattr(self, name) for name in names})

    def initial(self, task: LearningTask, *, seed: int) -> ActorCriticTraining:
        return begin_training(task, self._seat(task), capacity=self.memory, seed=seed)

    def improve(self, state: ActorCriticTraining, task: LearningTask, *, steps: int, seed: int) -> ActorCriticTraining:
        env, seat = SeatEnv(task.game, task.seat, opponents=task.opponents), self._seat(task)
        until = state.steps + steps
        env.restore(state.env)
        while state.steps < until:
            state = self._step(state, env, space=task.space, seat=seat, seed=seed)
            if state.steps >= self.warmup and state.steps % self.pace == 0 and state.memory.count > 0:
                rng = stream(seed, "update", state.networks.updates)
                state = state._replace(networks=seat.updated(state.networks, state.memory, rng=rng))
        return state._replace(env=env.snapshot())

    def choose(self, state: ActorCriticTraining, task: LearningTask, *, seed: int) -> ActorCriticTraining:
        return state

    def policies(self, state: ActorCriticTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        """Return the network of a member, which does not look at its rank."""
        (weight, bias), *rest = self._seat(task).actor(state.networks).layers
        return {task.seat: PolicyNetwork(((pad(weight, (0, RANK)), bias), *rest))}

    def codec(self, task: LearningTask) -> Codec[ActorCriticTraining]:
        return actor_critic_codec(self._seat(task))

    def _seat(self, task: LearningTask) -> ActorCriticSeat:
        """Return what a member sees and decides."""
        team, space = task.space.team, task.space
        if team is None:
            raise ConfigError(f"seat {task.seat!r} has no team; independent learners are members of one")
        own = Space(space.observation, space.action // team.ranks, space.is_scaled)
        return ActorCriticSeat(own, self.settings, self.batch, self.noise)

    def _step(
        self, state: ActorCriticTraining, env: SeatEnv, *, space: Space, seat: ActorCriticSeat, seed: int
    ) -> ActorCriticTraining:
        assert space.team is not None
        seen, rng = env.match.seen(env.seat), stream(seed, "exploration", state.steps)
        present = present_count(seen, space.team)
        actor = None if state.steps < self.warmup else seat.actor(state.networks)
        rows = np.zeros((space.team.ranks, seat.space.action), np.float32)
        for rank in range(present):
            rows[rank] = seat.explore(seen, actor, rng=rng)
        after, reward, is_terminated, is_truncated, _ = env.step(rows.ravel())
        memory, is_over = state.memory, is_terminated or is_truncated
        for rank in range(present):
            memory = memory.add([seen], [rows[rank]], reward=reward, following=[after], ended=is_over)
        return state._replace(memory=memory).count_step(env, reward=reward, is_over=is_over, seed=seed)
