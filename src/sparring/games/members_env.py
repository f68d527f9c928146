"""A game with a team as a PettingZoo environment in which each member is an agent."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Box
from pettingzoo import ParallelEnv

from sparring.arrays import FloatArray
from sparring.contracts import Game, Space
from sparring.errors import SparringError
from sparring.games.env import Answers, SeatsEnv, action_box, observation_box
from sparring.policies.team import member_space, present_ranks, rank_inputs
from sparring.snapshot import Snapshot


class Member(NamedTuple):
    """An agent: the seat that it belongs to, and its rank; None if the seat has no team."""

    seat: str
    rank: int | None


class MembersEnv(ParallelEnv[str, FloatArray, FloatArray]):  # type: ignore[misc]  # PettingZoo has no types
    """A game in which each member of a team is an agent, `attacker 0`, `attacker 1` and so on by rank.

    A member observes what its team does, followed by its own rank as `rank_inputs` gives it. Agents cannot leave and
    come back within an episode: those of absent ranks are queried too, and their actions are ignored. They observe the
    rank 0, and `infos` says of each member whether it is `present`. All members get the reward of the team.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "sparring_members", "render_modes": []}

    def __init__(self, game: Game[Any]) -> None:
        self.seats_env = SeatsEnv(game)
        self.members = {
            name: member for seat, space in self._seats.items() for name, member in _list_members(seat, space).items()
        }
        spaces = {agent: self._space(member) for agent, member in self.members.items()}
        self.observation_spaces = {agent: observation_box(space) for agent, space in spaces.items()}
        self.action_spaces = {agent: action_box(space) for agent, space in spaces.items()}
        self.possible_agents = list(self.members)
        self.agents: list[str] = []
        self.render_mode = None

    def observation_space(self, agent: str) -> Box[np.float32]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box[np.float32]:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Answers, Answers]:
        seen, _ = self.seats_env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        return self._observe(seen)

    def step(self, actions: Mapping[str, FloatArray]) -> tuple[Answers, Answers, Answers, Answers, Answers]:
        seen, *others = self.seats_env.step({seat: self._join(seat, actions) for seat in self._seats})
        shown, infos = self._observe(seen)
        rewards, terminated, truncated = (
            {agent: answer[member.seat] for agent, member in self.members.items()} for answer in others[:3]
        )
        if not self.seats_env.agents:
            self.agents = []
        return shown, rewards, terminated, truncated, infos

    def snapshot(self) -> Snapshot:
        """Return the state of the game and of the random generator."""
        return self.seats_env.snapshot()

    def restore(self, packed: Snapshot) -> None:
        """Resume from a snapshot."""
        self.seats_env.restore(packed)
        self.agents = list(self.possible_agents) if self.seats_env.agents else []

    @property
    def _seats(self) -> Mapping[str, Space]:
        return self.seats_env.match.seats

    def _space(self, member: Member) -> Space:
        space = self._seats[member.seat]
        return space if member.rank is None else member_space(space)

    def _observe(self, seen: Mapping[str, FloatArray]) -> tuple[Answers, Answers]:
        """Return what each agent observes, and whether it is present."""
        shown: Answers = {}
        infos: Answers = {}
        for seat, space in self._seats.items():
            if space.team is None:
                shown[seat], infos[seat] = seen[seat], {"present": True}
                continue
            present = present_ranks(torch.from_numpy(seen[seat]), space.team)
            ranks: FloatArray = rank_inputs(present, space.team.ranks).numpy()
            for rank, own in enumerate(ranks.astype(np.float32)):
                shown[_name(seat, rank)] = np.append(seen[seat], own)
                infos[_name(seat, rank)] = {"present": rank < int(present)}
        return shown, infos

    def _join(self, seat: str, actions: Mapping[str, FloatArray]) -> FloatArray:
        """Return the action of a seat: the actions of its members, one after the other."""
        own = [agent for agent, member in self.members.items() if member.seat == seat]
        missing = next((agent for agent in own if agent not in actions), None)
        if missing is not None:
            raise SparringError(f"agent {missing!r} has no action; give one for each of: {', '.join(self.members)}")
        return np.concatenate([np.asarray(actions[agent], np.float32) for agent in own])


def _list_members(seat: str, space: Space) -> dict[str, Member]:
    if space.team is None:
        return {seat: Member(seat, None)}
    return {_name(seat, rank): Member(seat, rank) for rank in range(space.team.ranks)}


def _name(seat: str, rank: int) -> str:
    return f"{seat} {rank}"
