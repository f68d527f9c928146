"""Defenses against the types of a domain in held-out episodes of the simulated federation."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from sparring.attacks import LearnedAttack
from sparring.contracts import RoundPlan, Server
from sparring.experiments.analysis.statistics import Comparison, Summary, compare, summarize
from sparring.federation import Attacker, Scenario, initial_state, measure, play_round
from sparring.games.federated import SeatControlled
from sparring.games.federated.domain import AttackDomain
from sparring.learning.calls import Calls
from sparring.learning.types_in_turn import Over
from sparring.random import stream

HELD_OUT = "held-out episode"
"""The name of the random stream of the episodes in which defenses are compared."""
SEEDS = 1 << 31
LOWEST, HIGHEST = -1.0, 1.0
"""The bounds of a score."""
FINALISTS = 4
"""The rules that play all episodes, beside those that are best against a type."""

Contender = Server | RoundPlan
"""A server, or a fixed rule with its repair."""


class HeldOutCall(NamedTuple):
    """An episode to play with one defense."""

    defense: str
    kind: str
    number: int


class EpisodeScore(NamedTuple):
    """How an episode ended."""

    accuracy: float
    backdoor_accuracy: float | None

    @property
    def score(self) -> float:
        """Accuracy minus backdoor accuracy."""
        return self.accuracy - (self.backdoor_accuracy or 0.0)


@dataclass(frozen=True)
class DefenseScores:
    """The scores of defenses against types, in common episodes."""

    scores: Mapping[str, Mapping[str, Sequence[EpisodeScore]]]
    """By defense, then by type: one for each episode."""
    weights: Mapping[str, float]
    """The prior."""
    over: Over = "mean"
    """What counts: the mean over types by the prior, or the worst type of each episode."""

    def row(self, defense: str, kind: str) -> Summary:
        """Return the accuracy minus the backdoor accuracy of a defense against one type."""
        return summarize([each.score for each in self.scores[defense][kind]], least=LOWEST, most=HIGHEST)

    def worst(self, defense: str) -> tuple[str, float]:
        """Return the type with the lowest mean score, and this score."""
        means = {kind: self.row(defense, kind).mean for kind in self.trained}
        kind = min(means, key=lambda name: means[name])
        return kind, means[kind]

    def overall(self, defense: str) -> Summary:
        """Return what counts over all types, over episodes."""
        return summarize(list(self._levels(defense).values()), least=LOWEST, most=HIGHEST)

    def regret(self, defense: str, rules: Iterable[str]) -> float:
        """Return the largest difference to the best of some rules against a type; not below 0 for one of them."""
        best = {kind: max(self.row(rule, kind).mean for rule in rules) for kind in self.trained}
        return max(best[kind] - self.row(defense, kind).mean for kind in best)

    def difference(self, first: str, second: str) -> Comparison:
        """Return the paired difference of what counts of two defenses, episode by episode."""
        return compare(self._levels(first), self._levels(second))

    @property
    def trained(self) -> tuple[str, ...]:
        """The types of positive weight."""
        return tuple(kind for kind, weight in self.weights.items() if weight > 0)

    def _levels(self, defense: str) -> dict[int, float]:
        """Return what counts over all types in each episode."""
        rows = self.scores[defense]
        episodes = min(len(rows[kind]) for kind in self.trained)
        return {number: self._level([rows[kind][number].score for kind in self.trained]) for number in range(episodes)}

    def _level(self, scores: Sequence[float]) -> float:
        """Return what counts of the scores of the trained types in an episode."""
        if self.over == "worst":
            return min(scores)
        weights = [self.weights[kind] for kind in self.trained]
        return sum(weight * score for weight, score in zip(weights, scores, strict=True)) / sum(weights)


class ComparedWorld(NamedTuple):
    """What every episode of a comparison needs."""

    scenario: Scenario
    """The federation whose test examples are the server's root data."""
    domain: AttackDomain
    followers: Mapping[str, str]
    """The policy file of the follower of each adaptive type."""
    defenses: Mapping[str, Contender]
    rounds: int
    seed: int

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the fixed rules."""
        return tuple(name for name, defense in self.defenses.items() if isinstance(defense, RoundPlan))


def play_held_out(call: HeldOutCall, world: ComparedWorld) -> EpisodeScore:
    """Play an episode with a defense, and measure its last model as the server would deploy it."""
    scenario = _make_episode(world, call)
    state = initial_state(scenario.federation)
    while state.round < world.rounds:
        state, _ = play_round(scenario, state)
    measured = measure(scenario, state)
    return EpisodeScore(measured.accuracy, measured.backdoor_accuracy)


def _make_episode(world: ComparedWorld, call: HeldOutCall) -> Scenario:
    """Return the scenario of an episode; equal types and numbers have equal draws for all defenses."""
    each, root = world.domain[call.kind], world.scenario.federation.test
    federation = world.scenario.federation if each.world is None else each.world
    seed = int(stream(world.seed, HELD_OUT, call.number).integers(SEEDS))
    attackers = tuple(_field(attacker, world.followers.get(call.kind)) for attacker in each.kind.attackers)
    defense = world.defenses[call.defense]
    rule, repair = defense if isinstance(defense, RoundPlan) else (defense, None)
    return replace(
        world.scenario,
        federation=replace(federation, root=root, test=root, seed=seed),
        attackers=attackers,
        defense=rule,
        repair=repair,
    )


def _field(attacker: Attacker, policy: str | None) -> Attacker:
    """Return an attacker with the policy of the follower in place of its seat."""
    if not isinstance(attacker.attack, SeatControlled) or policy is None:
        return attacker
    return replace(attacker, attack=LearnedAttack(policy))


def compare_defenses(
    world: ComparedWorld, empty: DefenseScores, episodes: int, calls: Calls, tell: Callable[[int], None]
) -> DefenseScores:
    """Compare defenses in common episodes; `tell` is called with the number of those that are over.

    `empty` is a table without scores. All play one episode against each type. The policies, the best rules, and the
    best rule against each type play all.
    """
    unplayed = {name: dict.fromkeys(world.domain, ()) for name in world.defenses}
    table = _play_more(
        replace(empty, scores=unplayed), world, product(world.defenses, world.domain, range(1)), calls, tell
    )
    finalists = choose_finalists(table, world.rules)
    return _play_more(table, world, product(finalists, world.domain, range(1, episodes)), calls, tell)


def choose_finalists(table: DefenseScores, rules: Collection[str]) -> list[str]:
    """Return the defenses that are no rules, the best rules, and the best rule against each type."""
    ranked = sorted(rules, key=lambda rule: -table.overall(rule).mean)
    by_type = [max(ranked, key=lambda rule, kind=kind: table.row(rule, kind).mean) for kind in table.weights]  # type: ignore[misc]
    chosen = {*ranked[:FINALISTS], *by_type}
    return [name for name in table.scores if name in chosen or name not in rules]


def _play_more(
    table: DefenseScores,
    world: ComparedWorld,
    episodes: Iterable[tuple[str, str, int]],
    calls: Calls,
    tell: Callable[[int], None],
) -> DefenseScores:
    """Return the table with the scores of more episodes."""
    scores = {name: {kind: list(row) for kind, row in rows.items()} for name, rows in table.scores.items()}
    due = [HeldOutCall(*each) for each in episodes]
    for call, score in zip(due, calls(partial(play_held_out, world=world), due), strict=True):
        scores[call.defense][call.kind].append(score)
        tell(sum(len(row) for rows in scores.values() for row in rows.values()))
    return replace(table, scores=scores)


def table_to_json(table: DefenseScores) -> dict[str, Any]:
    """Return a table in the form of its JSON file."""
    return {"scores": table.scores, "weights": dict(table.weights), "over": table.over}


def table_from_json(content: Mapping[str, Any]) -> DefenseScores:
    """Return the table that a JSON file describes."""
    scores = {
        name: {kind: [EpisodeScore(*each) for each in row] for kind, row in rows.items()}
        for name, rows in content["scores"].items()
    }
    return DefenseScores(scores, content["weights"], content["over"])
