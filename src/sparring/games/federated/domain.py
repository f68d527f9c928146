"""Attack domains Ξ with their prior Q (MSG, section 2.2), and one game against each type.

A learner across types does not play in a game that draws its type: against each type it has a game of its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf

from sparring.arrays import Batch, briefly
from sparring.attacks.learned.acting import PoisonedSearchActions
from sparring.contracts import Backdoor, RoundPlan
from sparring.defenses.learned.actions import PlanDecoder
from sparring.errors import ConfigError, SparringError
from sparring.federation import Federation, Scenario
from sparring.federation.scenario import check_scenario
from sparring.games.federated.attack_types import AttackType
from sparring.games.federated.builders import ATTACKER, robust_objective
from sparring.games.federated.game import DEFENDER, FederatedGame
from sparring.games.federated.seats import AttackerSeat, DefenderSeat, Gain


@dataclass(frozen=True, eq=False)
class LearningAttacker:
    """The learning attacker of an adaptive type: its seat, and what it is trained against before."""

    role: AttackerSeat
    against: RoundPlan
    """The fixed rule and repair that its first policy is trained against."""

    __repr__ = briefly


@dataclass(frozen=True, eq=False)
class DomainType:
    """A type of a domain: its attackers with their weight in Q, its world, and its follower if it is adaptive."""

    kind: AttackType
    """The attackers; those of an adaptive type include one whose attack is `SeatControlled`."""
    world: Federation | None = None
    """The type's own federation, such as one with other shards; None means that of the scenario."""
    follower: LearningAttacker | None = None

    __repr__ = briefly

    @property
    def backdoors(self) -> tuple[Backdoor, ...]:
        """The backdoors that it implants, that of its follower last."""
        acting = None if self.follower is None else self.follower.role.acting
        learned = (acting.backdoor,) if isinstance(acting, PoisonedSearchActions) else ()
        return (*(backdoor for attacker in self.kind.attackers for backdoor in attacker.backdoors), *learned)


AttackDomain = Mapping[str, DomainType]
"""The types by name; the probability of each is its share of the sum of weights."""


@dataclass(frozen=True)
class DefenderTerms:
    """What a defender decides in each round of a typed game, what it sees, and what it gains.

    Its reward is measured by `robust_objective`, with the type's own backdoors.
    """

    acting: PlanDecoder
    rounds: int = 100
    layers: int | None = 1
    """Number of the model's last layers in the observation."""
    sees_backdoors: bool = True
    """Whether triggered images count; if not, the reward is -F alone, as in MSG's text."""
    weight: float = 0.5
    """λ, the weight of triggered images."""
    ceiling: float = 3.0
    """Upper bound of a loss."""
    gain: Gain = "level"
    """When the level of the objective counts: after each round, as in MSG, or only late in an episode."""


@dataclass(frozen=True, eq=False)
class TypedGame:
    """The game against one type, and the type's weight in Q."""

    game: FederatedGame
    weight: float

    __repr__ = briefly

    @property
    def is_adaptive(self) -> bool:
        """Whether the attacker has a seat, and so needs a policy."""
        return ATTACKER in self.game.roles


def typed_games(scenario: Scenario, domain: AttackDomain, terms: DefenderTerms) -> dict[str, TypedGame]:
    """Return the game of the defender's seat against each type; no game holds test data.

    Rewards are measured on the scenario's root data, which are the server's in every world.
    """
    check_scenario("domain: scenario", scenario)
    total = sum(each.kind.weight for each in domain.values())
    if not 0 < total < inf:
        raise ConfigError(f"domain: the weights of its {len(domain)} types sum to {total}; give one a positive weight")
    root = _root_of(scenario)
    games = {}
    for name, each in domain.items():
        with attribute_type(name):
            games[name] = TypedGame(_typed_game(scenario, each, terms, root), each.kind.weight)
    _check_alike(games)
    return games


def follower_games(scenario: Scenario, domain: AttackDomain, rounds: int) -> dict[str, FederatedGame]:
    """Return, for each adaptive type, the game in which its follower learns against a fixed rule and repair."""
    root, games = _root_of(scenario), {}
    for name, each in domain.items():
        if each.follower is not None:
            rule, repair = each.follower.against
            with attribute_type(name):
                fixed = replace(_world(scenario, each, root), defense=rule, repair=repair)
                games[name] = FederatedGame(fixed, (_certain(each),), {ATTACKER: each.follower.role}, rounds)
    return games


@contextmanager
def attribute_type(name: str) -> Iterator[None]:
    """Name the type of a domain in the errors that it causes."""
    try:
        yield
    except SparringError as error:
        raise type(error)(f"domain type {name!r}: {error}") from None


def _root_of(scenario: Scenario) -> Batch:
    if scenario.federation.root is None:
        raise ConfigError("domain: a defender's reward needs root data; use data.root_size >= 1")
    return scenario.federation.root


def _typed_game(scenario: Scenario, each: DomainType, terms: DefenderTerms, root: Batch) -> FederatedGame:
    world = _world(scenario, each, root)
    backdoors = each.backdoors if terms.sees_backdoors else ()
    objective = robust_objective(world.federation, backdoors, weight=terms.weight, ceiling=terms.ceiling)
    seats: dict[str, AttackerSeat | DefenderSeat] = {
        DEFENDER: DefenderSeat(terms.acting, objective, terms.gain, layers=terms.layers)
    }
    if each.follower is not None:
        seats[ATTACKER] = each.follower.role
    return FederatedGame(world, (_certain(each),), seats, terms.rounds)


def _world(scenario: Scenario, each: DomainType, root: Batch) -> Scenario:
    """Return the type's world without attackers, in which the root data take the place of the test split."""
    federation = scenario.federation if each.world is None else each.world
    return replace(scenario, federation=replace(federation, root=root, test=root), attackers=())


def _certain(each: DomainType) -> AttackType:
    return replace(each.kind, weight=1.0)


def _check_alike(games: Mapping[str, TypedGame]) -> None:
    """Reject worlds that one policy cannot play in."""
    sizes = {name: typed.game.seats[DEFENDER].observation for name, typed in games.items()}
    first = next(iter(sizes))
    for name, size in sizes.items():
        if size != sizes[first]:
            raise ConfigError(
                f"domain type {name!r}: a defender observes {size} numbers in its world, {sizes[first]} in that of "
                f"{first!r}; give all worlds the same model"
            )
