"""Policy search by the cross-entropy method (Rubinstein, 1999; Szita and Lőrincz, 2006) over small policies.

A generation of candidates is drawn from a normal distribution over the numbers of a policy, and the distribution moves
to the best of them. All candidates of a generation play the same episodes. Those are few at first, and twice as many
for the better half of the candidates, until the elites are left (successive halving). The best of each generation and
the middle of the distribution are kept; which of all that were kept is the best is decided in fresh episodes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import ceil
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from sparring.arrays import briefly
from sparring.contracts import Policy, Space
from sparring.errors import ConfigError
from sparring.learning.calls import Calls, call_in_turn
from sparring.learning.evaluation import TOGETHER, Playing, episode_returns
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import CountEncoder, Encoder
from sparring.policies.network import PolicyNetwork
from sparring.policies.team import seat_policy, seat_space
from sparring.random import Generator, stream
from sparring.snapshot import Codec, pack_fields, unpack_fields
from sparring.validation import check_at_least_one, check_positive, check_shares

SEARCH, TRIAL = "search", "search trial"
"""The names of the episodes that candidates play, and of those in which the best of all is found."""


class PolicyFamily(Protocol):
    """Policies that a vector of numbers determines; useful numbers are of the order of 1.

    For a team's seat the policies are those of a member, in its own space.
    """

    def size(self, space: Space) -> int:
        """Return how many numbers determine a policy."""

    def policy(self, numbers: Tensor, space: Space) -> PolicyNetwork:
        """Return the policy of these numbers."""


@dataclass(frozen=True)
class ConstantActions:
    """Policies that answer everything with the same action."""

    def size(self, space: Space) -> int:
        return space.action

    def policy(self, numbers: Tensor, space: Space) -> PolicyNetwork:
        weight = torch.zeros(space.action, space.observation)
        return PolicyNetwork(((weight, numbers.float()),), squash="clip")


@dataclass(frozen=True)
class CountTable:
    """Policies with an action for each range of the number of malicious clients in a round, a table's rows."""

    sampled: int
    """Clients in a round."""
    counts: tuple[int, ...] = (1, 2, 3, 4, 5, 7)
    """The smallest count of each row."""
    base: bool = False
    """Whether a row is a common action plus its own difference from it, so that drawn rows are alike: one more row."""
    varied: tuple[int, ...] | None = None
    """The numbers of an action in which rows differ from the common one; None means all. Only with a base."""

    def __post_init__(self) -> None:
        if self.varied is not None and not self.base:
            raise ConfigError("table.varied needs a common action; use base=True")

    def size(self, space: Space) -> int:
        return space.action * self.base + len(self.counts) * len(self._varied(space))

    def policy(self, numbers: Tensor, space: Space) -> PolicyNetwork:
        common, own = numbers.float().split([space.action * self.base, self.size(space) - space.action * self.base])
        rows = torch.zeros(len(self.counts), space.action)
        rows[:, self._varied(space)] = own.view(len(self.counts), -1)
        weight = (common + rows if self.base else rows).T.contiguous()
        encoder = CountEncoder(self.counts, self.sampled)
        return PolicyNetwork(((weight, torch.zeros(space.action)),), squash="clip", encoder=encoder)

    def _varied(self, space: Space) -> list[int]:
        return list(range(space.action) if self.varied is None else self.varied)


@dataclass(frozen=True)
class SmallNetworks:
    """Networks with few weights, on the observation or on what an encoder makes of it."""

    hidden: tuple[int, ...] = ()
    encoder: Encoder | None = None

    def size(self, space: Space) -> int:
        return sum((inputs + 1) * outputs for inputs, outputs in self._shapes(space))

    def policy(self, numbers: Tensor, space: Space) -> PolicyNetwork:
        layers, rest = [], numbers.float()
        for inputs, outputs in self._shapes(space):
            weight, bias, rest = rest.split([inputs * outputs, outputs, len(rest) - (inputs + 1) * outputs])
            layers.append((weight.view(outputs, inputs) / inputs**0.5, bias))
        return PolicyNetwork(tuple(layers), hidden="tanh", squash="clip", encoder=self.encoder)

    def _shapes(self, space: Space) -> list[tuple[int, int]]:
        inputs = space.observation if self.encoder is None else self.encoder.size(space.observation)
        widths = (inputs, *self.hidden, space.action)
        return list(pairwise(widths))


class SearchState(NamedTuple):
    """The state of a search."""

    generation: int
    mean: Tensor
    deviation: Tensor
    kept: Tensor
    """`[kept, numbers]`: the best candidate and the mean of each of the latest generations."""
    best: Tensor
    """The numbers of the best policy that is known."""
    returns: tuple[float, ...]
    """The mean return of each generation's elites."""
    steps: int
    """Steps of the game that were simulated."""

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class CrossEntropySearch:
    """Searches a family of policies."""

    family: PolicyFamily
    candidates: int = 24
    """Policies in a generation."""
    elites: int = 6
    """Those to which the distribution moves."""
    episodes: int = 2
    """Common episodes of all candidates of a generation."""
    deviation: float = 0.7
    """The standard deviation of every number at first."""
    smoothing: float = 0.6
    """The share of the elites' mean and deviation in the new ones."""
    extra: float = 0.1
    """Deviation that is added to the elites' at first, and fades within `fading` generations."""
    fading: int = 10
    kept: int = 8
    """Of the best candidates and the means of all generations, how many of the latest are tried at the end."""
    start: tuple[float, ...] | None = None
    """The numbers around which the first candidates are drawn; None means zeros."""
    trials: int = 4
    """Fresh episodes of all kept candidates in the final choice; the better half plays twice as many."""
    together: int = TOGETHER
    """Policies that play an episode in lock-step. Results depend on it: fewer keep more processes busy."""
    calls: Calls = call_in_turn
    """How episodes are played: in this process, or in several. What is found does not depend on it."""
    racing: bool = False
    """Whether the first policy plays first, and the episodes of others end once they are sure to return less than it.

    Of a game that is not `Bounding` all is played. Below the first policy, candidates are ranked by upper bounds.
    """

    def __post_init__(self) -> None:
        counts = {
            name: getattr(self, name)
            for name in ("candidates", "elites", "episodes", "fading", "kept", "trials", "together")
        }
        check_at_least_one("search", **counts)
        check_positive("search", deviation=self.deviation)
        check_shares("search", smoothing=self.smoothing)
        check_at_least_one("search", **{"candidates / elites": self.candidates / self.elites})

    def initial(self, task: LearningTask, *, seed: int) -> SearchState:
        size = self.family.size(seat_space(task.space))
        mean = torch.zeros(size, dtype=torch.float64)
        if self.start is not None:
            if len(self.start) != size:
                raise ConfigError(f"search.start has {len(self.start)} numbers; its policies have {size}")
            mean = torch.tensor(self.start, dtype=torch.float64)
        return SearchState(0, mean, torch.full_like(mean, self.deviation), mean[None], mean, (), 0)

    def improve(self, state: SearchState, task: LearningTask, *, steps: int, seed: int) -> SearchState:
        until = state.steps + steps
        while state.steps < until:
            state = self.advance(state, task, seed=seed)
        return state

    def policies(self, state: SearchState, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        return {task.seat: self.family.policy(state.best, seat_space(task.space))}

    def codec(self, task: LearningTask) -> Codec[SearchState]:
        return Codec(lambda state: pack_fields(state._asdict()), partial(unpack_fields, kind=SearchState))

    def choose(self, state: SearchState, task: LearningTask, *, seed: int) -> SearchState:
        """Return the state with the best of the kept candidates, chosen in fresh episodes by successive halving."""
        name = f"{TRIAL} {state.generation}"
        order, _, steps = self._halve(task, state.kept, down_to=1, episodes=self.trials, seed=seed, name=name)
        return state._replace(best=state.kept[order[0]], steps=state.steps + steps)

    def advance(self, state: SearchState, task: LearningTask, *, seed: int) -> SearchState:
        """Return the state after one more generation."""
        rng = stream(seed, "candidates", state.generation)
        drawn = _draw(state, self.candidates, rng)
        name = f"{SEARCH} {state.generation}"
        order, returns, steps = self._halve(
            task, drawn, down_to=self.elites, episodes=self.episodes, seed=seed, name=name
        )
        elites = drawn[order[: self.elites]]
        extra = self.extra * max(0.0, 1 - state.generation / self.fading)
        mean = state.mean.lerp(elites.mean(dim=0), self.smoothing)
        deviation = state.deviation.lerp(elites.std(dim=0, correction=0) + extra, self.smoothing)
        return SearchState(
            generation=state.generation + 1,
            mean=mean,
            deviation=deviation,
            kept=torch.cat([state.kept, elites[:1], mean[None]])[-self.kept :],
            best=elites[0],
            returns=(*state.returns, returns),
            steps=state.steps + steps,
        )

    def _halve(
        self, task: LearningTask, numbers: Tensor, *, down_to: int, episodes: int, seed: int, name: str
    ) -> tuple[Tensor, float, int]:
        """Return the candidates from the best on, the mean return of the best `down_to`, and the steps that it took.

        All play `episodes` common ones; the better half plays twice as many, until `down_to` candidates remain.
        """
        own = seat_space(task.space)
        policies = [seat_policy(self.family.policy(each, own), task.space) for each in numbers]
        totals, steps, played = torch.zeros(len(policies), dtype=torch.float64), 0, 0
        alive, order = list(range(len(policies))), list(range(len(policies)))
        due = range(episodes)
        while True:
            gains, taken = self._race(
                partial(episode_returns, task, numbers=due, seed=seed, name=name),
                [policies[place] for place in alive],
            )
            totals[alive] += gains.sum(dim=1)
            steps, played = steps + taken, played + len(due)
            ranked = sorted(alive, key=lambda place: (-float(totals[place]), place))
            order = [*ranked, *order[len(alive) :]]
            kept = max(down_to, ceil(len(alive) / 2))
            if len(alive) <= down_to or kept == 1:
                best = torch.tensor(ranked[:down_to])
                return torch.tensor(order), float(totals[best].mean() / played), steps
            alive = ranked[:kept]
            due = range(played, 2 * played)

    def _race(self, play: Callable[..., tuple[Tensor, int]], policies: Sequence[Policy]) -> tuple[Tensor, int]:
        """Return the returns in common episodes, cut short below the first policy's if racing, and their steps."""
        playing = Playing(self.calls, self.together)
        if not self.racing or len(policies) == 1:
            return play(policies, playing=playing)
        first, begun = play(policies[:1], playing=playing)
        others, taken = play(policies[1:], playing=playing._replace(floors=first[0].tolist()))
        return torch.cat([first, others]), begun + taken


def _draw(state: SearchState, candidates: int, rng: Generator) -> Tensor:
    """Draw candidates; the first is the mean itself."""
    noise = torch.from_numpy(rng.standard_normal((candidates, len(state.mean))))
    noise[0] = 0
    return state.mean + state.deviation * noise
