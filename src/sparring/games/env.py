"""Games as environments for reinforcement-learning libraries: one seat in Gymnasium, all seats in PettingZoo."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from types import MappingProxyType
from typing import Any, ClassVar, Generic

import numpy as np
from gymnasium import Env
from gymnasium.spaces import Box
from gymnasium.utils.seeding import np_random as seeded
from pettingzoo import ParallelEnv

from sparring.arrays import FloatArray
from sparring.contracts import Game, Policy, Space, Stacking, State, Truncating
from sparring.errors import ConfigError, PluginError, SparringError
from sparring.random import Generator
from sparring.snapshot import Snapshot
from sparring.validation import check_player

NOBODY: Mapping[str, Policy] = MappingProxyType({})
"""The opponents in a game with one seat."""
Answers = dict[str, Any]
"""One value per seat."""


class Match(Generic[State]):
    """A game in progress: it holds the current state and checks what the game returns."""

    def __init__(self, game: Game[State]) -> None:
        self.game = game
        self.seats = dict(game.seats)
        self.observation_spaces = {seat: observation_box(space) for seat, space in self.seats.items()}
        self.action_spaces = {seat: action_box(space) for seat, space in self.seats.items()}
        self._state: State | None = None

    @property
    def state(self) -> State:
        """The current state."""
        if self._state is None:
            raise SparringError("the game has no state yet; call reset first")
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether the episode has ended."""
        return self.game.is_over(self.state)

    @property
    def ending(self) -> tuple[bool, bool]:
        """Whether the episode is terminated, and whether it is truncated, that is, ended only by its horizon."""
        is_over = self.is_over
        is_truncated = is_over and isinstance(self.game, Truncating) and self.game.is_truncated(self.state)
        return is_over and not is_truncated, is_truncated

    def begin(self, state: State) -> None:
        """Continue from a state."""
        self._state = state

    def seen(self, seat: str) -> FloatArray:
        """Return a copy of a seat's observation."""
        observation = np.array(self.game.observe(self.state, seat), dtype=np.float32)
        if not self.observation_spaces[seat].contains(observation):
            raise PluginError(f"{self._name}.observe gave {seat!r} {_fault(observation, self.seats[seat])}")
        return observation

    def play(self, actions: Mapping[str, FloatArray], *, rng: Generator, gaining: Iterable[str]) -> dict[str, float]:
        """Make one transition and return the rewards of the seats in `gaining`; other rewards are not computed."""
        allowed = _allow(self, actions)
        return _follow(self, self.game.transition(self.state, allowed, rng=rng), gaining)

    @property
    def _name(self) -> str:
        return type(self.game).__name__


class SeatEnv(Env[FloatArray, FloatArray]):
    """A game as one seat's environment, in which every other seat follows a fixed policy."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]  # declared as an instance's

    def __init__(self, game: Game[Any], seat: str, *, opponents: Mapping[str, Policy] = NOBODY) -> None:
        check_player("env: game", game, verb="transition")
        for name, policy in opponents.items():
            check_player(f"env: opponents[{name!r}]", policy, verb="act")
        if game.seats.keys() != {seat, *opponents} or seat in opponents:
            raise ConfigError(
                f"seat {seat!r} plays against {_names(opponents)}; the game's seats are {_names(game.seats)}, "
                "and all but one need a policy"
            )
        self.match = Match(game)
        self.seat = seat
        self.opponents = dict(opponents)
        self.observation_space = self.match.observation_spaces[seat]
        self.action_space = self.match.action_spaces[seat]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[FloatArray, Answers]:
        super().reset(seed=seed)
        self.match.begin(self.match.game.initial(self.np_random))
        return self.match.seen(self.seat), {}

    def step(self, action: FloatArray) -> tuple[FloatArray, float, bool, bool, Answers]:
        rewards = self.match.play(_answers(self, action), rng=self.np_random, gaining=[self.seat])
        return _outcome(self, rewards)

    def snapshot(self) -> Snapshot:
        """Return the state of the game and of the random generator."""
        return _pack(self.match, self.np_random)

    def restore(self, packed: Snapshot) -> None:
        """Resume from a snapshot."""
        _unpack(self.match, self.np_random, packed=packed)


def step_together(
    envs: Sequence[SeatEnv], actions: Sequence[FloatArray]
) -> list[tuple[FloatArray, float, bool, bool, Answers]]:
    """Step environments of one game; a game that can makes all transitions at once."""
    game = envs[0].match.game
    if not isinstance(game, Stacking):
        return [env.step(action) for env, action in zip(envs, actions, strict=True)]
    allowed = [_allow(env.match, _answers(env, action)) for env, action in zip(envs, actions, strict=True)]
    after = game.transitions([env.match.state for env in envs], allowed, rngs=[env.np_random for env in envs])
    return [_outcome(env, _follow(env.match, state, [env.seat])) for env, state in zip(envs, after, strict=True)]


class SeatsEnv(ParallelEnv[str, FloatArray, FloatArray]):  # type: ignore[misc]  # PettingZoo has no types
    """A game in which each seat is an agent, and all agents move at the same time."""

    metadata: ClassVar[dict[str, Any]] = {"name": "sparring", "render_modes": []}

    def __init__(self, game: Game[Any]) -> None:
        self.match = Match(game)
        self.possible_agents = list(self.match.seats)
        self.agents: list[str] = []
        self.render_mode = None
        self.np_random: Generator = seeded()[0]

    def observation_space(self, agent: str) -> Box[np.float32]:
        return self.match.observation_spaces[agent]

    def action_space(self, agent: str) -> Box[np.float32]:
        return self.match.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Answers, Answers]:
        if seed is not None:
            self.np_random = seeded(seed)[0]
        self.match.begin(self.match.game.initial(self.np_random))
        self.agents = list(self.possible_agents)
        return {seat: self.match.seen(seat) for seat in self.agents}, {seat: {} for seat in self.agents}

    def step(self, actions: Mapping[str, FloatArray]) -> tuple[Answers, Answers, Answers, Answers, Answers]:
        rewards = self.match.play(actions, rng=self.np_random, gaining=self.agents)
        seen = {seat: self.match.seen(seat) for seat in self.agents}
        terminated, truncated = (dict.fromkeys(self.agents, ending) for ending in self.match.ending)
        infos: Answers = {seat: {} for seat in self.agents}
        if self.match.is_over:
            self.agents = []
        return seen, rewards, terminated, truncated, infos

    def snapshot(self) -> Snapshot:
        """Return the state of the game and of the random generator."""
        return _pack(self.match, self.np_random)

    def restore(self, packed: Snapshot) -> None:
        """Resume from a snapshot."""
        _unpack(self.match, self.np_random, packed=packed)
        self.agents = [] if self.match.is_over else list(self.possible_agents)


def observation_box(space: Space) -> Box[np.float32]:
    """Return the observation space: [-1, 1] if scaled, else all finite numbers."""
    bound = np.float32(1) if space.is_scaled else np.finfo(np.float32).max
    return Box(-bound, bound, shape=(space.observation,), dtype=np.float32)


def action_box(space: Space) -> Box[np.float32]:
    """Return the action space [-1, 1]."""
    return Box(-1, 1, shape=(space.action,), dtype=np.float32)


def _allow(match: Match[Any], actions: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return copies of the actions of all seats, clipped to [-1, 1]."""
    if match.is_over:
        raise SparringError("the game is over; call reset before the next step")
    return {seat: _clip(match, seat, actions) for seat in match.seats}


def _clip(match: Match[Any], seat: str, actions: Mapping[str, FloatArray]) -> FloatArray:
    if seat not in actions:
        raise SparringError(f"seat {seat!r} has no action; give one for each of: {', '.join(match.seats)}")
    action = np.array(actions[seat], dtype=np.float32)
    if action.shape != (match.seats[seat].action,) or not np.isfinite(action).all():
        wanted = match.seats[seat].action
        raise PluginError(f"the action of seat {seat!r} is {action}; it must be {wanted} finite numbers")
    return action.clip(-1, 1)


def _follow(match: Match[State], after: State, gaining: Iterable[str]) -> dict[str, float]:
    """Continue from the next state, and return the rewards of the seats in `gaining`."""
    before = match.state
    match.begin(after)
    return {seat: _gain(match, before, seat) for seat in gaining}


def _gain(match: Match[State], before: State, seat: str) -> float:
    reward = float(match.game.reward(before, match.state, seat=seat))
    if not np.isfinite(reward):
        raise PluginError(f"{type(match.game).__name__}.reward gave {seat!r} {reward}; it must be a finite number")
    return reward


def _answers(env: SeatEnv, action: FloatArray) -> dict[str, FloatArray]:
    """Return the actions of all seats."""
    others = {seat: policy.act(env.match.seen(seat)) for seat, policy in env.opponents.items()}
    return {**others, env.seat: action}


def _outcome(env: SeatEnv, rewards: Mapping[str, float]) -> tuple[FloatArray, float, bool, bool, Answers]:
    return env.match.seen(env.seat), rewards[env.seat], *env.match.ending, {}


def _pack(match: Match[Any], rng: Generator) -> Snapshot:
    # The packed values may share memory with the game.
    tensors, numbers = deepcopy(match.game.codec.pack(match.state))
    return Snapshot(tensors, {"state": numbers, "generator": rng.bit_generator.state})


def _unpack(match: Match[Any], rng: Generator, *, packed: Snapshot) -> None:
    match.begin(match.game.codec.unpack(Snapshot(packed.tensors, packed.numbers["state"])))
    rng.bit_generator.state = packed.numbers["generator"]


def _fault(observation: FloatArray, space: Space) -> str:
    """Return what is wrong with an observation."""
    if observation.shape != (space.observation,):
        return f"numbers of shape {observation.shape}; its space has {(space.observation,)}"
    if not np.isfinite(observation).all():
        return "numbers that are not finite"
    return f"numbers from {observation.min()} to {observation.max()}; they must lie in [-1, 1]"


def _names(seats: Mapping[str, object]) -> str:
    return ", ".join(seats) or "nobody"
