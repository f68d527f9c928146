"""The plan of a hardening: time is measured once and converted into rounds, and the folder keeps the counts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from sparring.errors import ConfigError
from sparring.experiments.audit.budget import SPENT, round_up_budget
from sparring.experiments.config.describe import format_duration
from sparring.experiments.config.memory import translate_exhaustion
from sparring.experiments.hardening.comparison import FINALISTS, ComparedWorld, HeldOutCall, play_held_out
from sparring.experiments.hardening.request import HardeningRequest
from sparring.experiments.hardening.world import SimulatedWorld
from sparring.experiments.jobs.recorded_plan import PlanFile
from sparring.games.federated import DEFENDER, AttackDomain, AttackType, FederatedGame, SeatControlled, typed_games
from sparring.learning.evaluation import EpisodeCall, play_episode
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork, constant_policy
from sparring.training.backends.threaded import torch_threads

NAME = "hardening.json"
FILE = PlanFile(NAME, "sparring_hardening", 1, "hardening", key="plan")
FOLLOWERS, CONSTANT, POLICY, COMPARISON = "followers", "constant", "policy", "comparison"
"""The stages in their order, by the names of their folders."""
SHARES: Mapping[str, float] = {FOLLOWERS: 0.2, CONSTANT: 0.45, POLICY: 0.35}
"""The shares of the training rounds; without followers, theirs go to the others."""
LEAST_SHARE = 0.3
"""The minimum share of a budget in time for training."""
FEWEST_PASSES = 64
"""Episodes against every type that a search needs at least: two generations."""
TIMED, TIMED_IN_TRAINING = 2, 10
"""Rounds of each rule against each type that are timed, and rounds of training against each type."""
LEARNED = 3
"""Defenses in the comparison beside the rules: the untrained policy, the constant action, the learned policy."""
EFFICIENCY = 0.8
"""What a second process adds, compared with the first."""


@dataclass(frozen=True)
class HardeningPlan:
    """The number of rounds that each stage of training simulates, and the estimated seconds of all stages."""

    rounds: Mapping[str, int]
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The estimated time of the whole hardening."""
        return sum(self.stages.values())


class Costs(NamedTuple):
    """Measured seconds."""

    step: float
    """A round of training, as the mean over the types."""
    compared: float
    """All rounds of the comparison, in one process."""


def read_plan(folder: Path, request: HardeningRequest) -> HardeningPlan | None:
    """Return the plan recorded in a hardening's folder; the folder of another one is rejected."""
    recorded = FILE.read(folder, request.digest)
    return None if recorded is None else HardeningPlan(**recorded)


def write_plan(folder: Path, request: HardeningRequest, plan: HardeningPlan) -> None:
    """Record the request and the plan."""
    plugins = [plugin.module for plugin in request.catalogues.plugins]
    FILE.write(folder, request.digest, asked=request.document, plugins=plugins, plan=asdict(plan))


def make_plan(request: HardeningRequest, world: SimulatedWorld, workers: int) -> HardeningPlan:
    """Return the plan of a request: the number of rounds it names, or the number that its time allows here."""
    shares = _shares(world)
    with translate_exhaustion(), torch_threads(request.config.execution.threads):
        costs = Costs(_seconds_per_step(world), _seconds_to_compare(request, world))
    speed = 1 + EFFICIENCY * (workers - 1)
    compared = costs.compared / speed
    if isinstance(request.effort, int):
        total = request.effort
    else:
        total = int((SPENT * request.effort - compared) * speed / costs.step)
        _refuse_small(request, total, compared, step=costs.step / speed, domain=world)
    rounds = {stage: ceil(share * total) for stage, share in shares.items()}
    stages = {stage: round(count * costs.step / speed, 1) for stage, count in rounds.items()}
    return HardeningPlan(rounds, {**stages, COMPARISON: round(compared, 1)})


def _shares(world: SimulatedWorld) -> dict[str, float]:
    """Return the share of each stage in the training rounds."""
    has_followers = any(each.follower is not None for each in world.domain.values())
    shares = {stage: share for stage, share in SHARES.items() if has_followers or stage != FOLLOWERS}
    return {stage: share / sum(shares.values()) for stage, share in shares.items()}


def _refuse_small(
    request: HardeningRequest, total: int, compared: float, *, step: float, domain: SimulatedWorld
) -> None:
    """Reject a time in which less than a generation of the search can be played, or little more than the comparison."""
    fewest = FEWEST_PASSES * request.rounds * len(domain.domain) / SHARES[CONSTANT]
    needed = max(compared / (SPENT - LEAST_SHARE), (compared + fewest * step) / SPENT)
    if needed > request.effort:
        raise ConfigError(
            f"budget is {request.asked_effort}; comparing the defenses takes about {format_duration(compared)} here, "
            f"and training needs its share: use --budget {round_up_budget(needed)}, or smaller harden.episodes or "
            "harden.compared"
        )


def _seconds_per_step(world: SimulatedWorld) -> float:
    """Return the time of a round of training, as the mean over the types, with the untrained policy."""
    games = typed_games(world.scenario, world.domain, replace(world.terms, rounds=TIMED_IN_TRAINING)).values()
    tasks = [LearningTask(typed.game, DEFENDER, _middle(typed.game)) for typed in games]
    call = EpisodeCall([constant_policy(tasks[0].space)], 0, "timing", 0)
    for _ in range(2):  # what is computed once is not counted
        begin = perf_counter()
        steps = sum(play_episode(call, task)[0].steps for task in tasks)
        spent = perf_counter() - begin
    return spent / steps


def _middle(game: FederatedGame) -> dict[str, PolicyNetwork]:
    """Return a policy in the middle of its ranges for every seat but the defender's."""
    return {seat: constant_policy(space) for seat, space in game.seats.items() if seat != DEFENDER}


def _seconds_to_compare(request: HardeningRequest, world: SimulatedWorld) -> float:
    """Return the time of the comparison in one process, from a few rounds of every rule against every type."""
    few = ComparedWorld(world.scenario, _without_followers(world.domain), {}, world.rules, rounds=TIMED, seed=0)
    begin = perf_counter()
    for rule in world.rules:
        for kind in few.domain:
            play_held_out(HeldOutCall(rule, kind, 0), few)
    seconds = (perf_counter() - begin) * request.compared / TIMED
    finalists = (LEARNED + FINALISTS + len(few.domain) / 2) / len(world.rules)
    return seconds * (1 + LEARNED / len(world.rules) + finalists * (request.settings.episodes - 1))


def _without_followers(domain: AttackDomain) -> AttackDomain:
    """Return a domain whose adaptive types play with their other attackers alone."""
    return {
        name: each if each.follower is None else replace(each, kind=_fixed(each.kind)) for name, each in domain.items()
    }


def _fixed(kind: AttackType) -> AttackType:
    return replace(
        kind, attackers=tuple(each for each in kind.attackers if not isinstance(each.attack, SeatControlled))
    )
