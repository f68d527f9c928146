"""The yardstick of a learned policy: the best constant action, over all types and against each.

A policy that does not beat it has learned nothing that a setting could not give.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from sparring.contracts import Policy
from sparring.errors import ConfigError
from sparring.games.federated import ATTACKER, DEFENDER, TypedGame
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.search import ConstantActions, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import Over, TypesInTurn
from sparring.validation import check_at_least_one

CONSTANTS = CrossEntropySearch(ConstantActions())


@dataclass(frozen=True)
class YardstickSettings:
    """How the best constant action is searched."""

    search: CrossEntropySearch = CONSTANTS
    """The search; its family must be `ConstantActions`."""
    steps: int = 2000
    """Rounds that are simulated against each type in the search over all, and again in its own."""
    episodes: int = 4
    """Fresh episodes in which what was found is measured."""
    over: Over = "mean"
    """What is best over all types: the mean by their weights, or the worst type."""

    def __post_init__(self) -> None:
        check_at_least_one("yardstick", steps=self.steps, episodes=self.episodes)
        if not isinstance(self.search.family, ConstantActions):
            name = type(self.search.family).__name__
            raise ConfigError(f"yardstick.search searches {name}; give a CrossEntropySearch(ConstantActions())")


@dataclass(frozen=True)
class ConstantAction:
    """An action that is the same in every round."""

    action: tuple[float, ...]
    """Numbers in [-1, 1], which the seat's action space decodes."""
    returns: Mapping[str, float]
    """Its mean return against types, in fresh episodes that are common to all actions and policies."""


@dataclass(frozen=True)
class Yardstick:
    """The best constant actions that a search has found."""

    overall: ConstantAction
    """The best over all types, with its return against each: what a defender can set that does not know the type."""
    by_type: Mapping[str, ConstantAction]
    """The best against each type alone: what a defender could set that knew it."""

    @property
    def regrets(self) -> Mapping[str, float]:
        """What the best over all types loses against each for not knowing it."""
        return {name: best.returns[name] - self.overall.returns[name] for name, best in self.by_type.items()}


def defender_tasks(
    games: Mapping[str, TypedGame], followers: Mapping[str, Policy] | None = None
) -> dict[str, LearningTask]:
    """Return the defender's task against each type; `followers` are the policies of the adaptive ones."""
    policies, tasks = followers or {}, {}
    for name, typed in games.items():
        if typed.is_adaptive and name not in policies:
            raise ConfigError(f"domain type {name!r} is adaptive and has no policy; train one in its follower's game")
        others = {ATTACKER: policies[name]} if typed.is_adaptive else {}
        tasks[name] = LearningTask(typed.game, DEFENDER, others)
    return tasks


USUAL = YardstickSettings()


def measure_yardstick(
    tasks: Mapping[str, LearningTask],
    weights: Mapping[str, float],
    settings: YardstickSettings = USUAL,
    *,
    seed: int,
) -> Yardstick:
    """Search the best constant action over all types by their weights, and then, from there, against each type."""
    together = LearningTask(
        TypesInTurn(list(tasks.values()), [weights[name] for name in tasks], settings.over),
        next(iter(tasks.values())).seat,
    )
    best = search_constant(together, settings, steps=settings.steps * len(tasks), seed=seed)
    own = replace(settings, search=replace(settings.search, start=best))
    by_type = {}
    for name, task in tasks.items():
        action = search_constant(task, own, steps=own.steps, seed=seed)
        by_type[name] = ConstantAction(action, constant_returns({name: task}, action, episodes=own.episodes, seed=seed))
    return Yardstick(
        ConstantAction(best, constant_returns(tasks, best, episodes=settings.episodes, seed=seed)), by_type
    )


def search_constant(task: LearningTask, settings: YardstickSettings, *, steps: int, seed: int) -> tuple[float, ...]:
    """Return the best constant action that a search of about `steps` steps finds in a task."""
    search = settings.search
    state = search.improve(search.initial(task, seed=seed), task, steps=steps, seed=seed)
    best = search.choose(state, task, seed=seed).best
    return tuple(best.clamp(-1, 1).tolist())


def constant_returns(
    tasks: Mapping[str, LearningTask], action: tuple[float, ...], *, episodes: int, seed: int
) -> dict[str, float]:
    """Return the mean return of a constant action in each task, in episodes that searches do not play."""
    numbers, family = torch.tensor(action), ConstantActions()
    return {
        name: evaluate_policy(task, family.policy(numbers, task.space), episodes=episodes, seed=seed)
        for name, task in tasks.items()
    }
