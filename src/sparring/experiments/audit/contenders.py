"""How the learned attacks of an audit are trained: contenders, halved in rounds, and TD3 from the best of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sparring.attacks import LocalSearchActions, PortfolioActions
from sparring.attacks.learned.acting import ActionDecoder
from sparring.learning.actor_critic import ActorCritic, UpdateSettings
from sparring.learning.search import ConstantActions, CountTable, CrossEntropySearch, SmallNetworks
from sparring.policies import Features
from sparring.policies.encoder import CountEncoder, FeatureEncoder
from sparring.policies.network import PolicyNetwork

FEATURES = Features(1).size
SCALE, STEPS = (0.1, 100.0), (1.0, 50.0)
"""The useful scales span three orders of magnitude."""
RELATIVE = LocalSearchActions(SCALE, STEPS, spacing="log", relative=True)


class Contender(NamedTuple):
    """A policy search: its action space, and the action around which it begins."""

    acting: ActionDecoder
    start: tuple[float, ...]
    observes_features: bool = False
    """Whether its policies are linear in the features of a round, beside the rows of the table."""

    def features(self, rounds: int) -> Features | None:
        """Return what its policies observe beside the model in episodes of some rounds."""
        return Features(rounds) if self.observes_features else None


CONTENDERS: Mapping[str, Contender] = {
    # The constant local search of the catalogue: γ = 15, E = 25.
    "local_search": Contender(LocalSearchActions(SCALE, STEPS, spacing="log"), (0.45, 0.65)),
    "relative": Contender(RELATIVE, (0.2, 0.4)),
    "ascent": Contender(LocalSearchActions(SCALE, STEPS, numbers=3, variant="ascent", spacing="log"), (0.45, 0.0, 0.0)),
    # Half the own mean update and a small step of the local search, E = 25, beside it: Krum chooses it in most rounds.
    "portfolio": Contender(PortfolioActions(SCALE, STEPS), (-0.6, 0.65, 0.7, -0.3, -0.3, -0.3, 0.5)),
}
"""The policy searches that share the budget, by name."""
FURTHER: Mapping[str, Contender] = {
    "portfolio_features": CONTENDERS["portfolio"]._replace(observes_features=True),
}
"""Searches that `train_attack` knows and an audit does not use: a step costs more, and no gain is shown."""
TD3 = "td3"
"""The name of the policy that TD3 trains from the best of the others."""
EXPECTED_MULTIPLES = (0.5, 1.0, 1.5, 2.0, 3.0)
"""A table has a row for each of these multiples of the expected number of malicious clients in a round."""


SEARCH = CrossEntropySearch(
    ConstantActions(), candidates=16, elites=4, episodes=1, kept=4, trials=4, deviation=0.5, extra=0.05
)
"""The settings of each search."""


class Rung(NamedTuple):
    """A round of the successive halving (Jamieson and Talwalkar, 2016): the survivors, and their further steps."""

    survivors: int
    units: int
    """Steps of each survivor in units; every rung costs the same."""
    is_last: bool = False
    """Whether TD3 starts here, with as many steps, from the best policy so far."""

    @property
    def jobs(self) -> int:
        """The number of policies that are trained in it."""
        return self.survivors + self.is_last


RUNGS: Sequence[Rung] = (Rung(4, 1), Rung(2, 2), Rung(1, 2, is_last=True))


def steps_of_rungs(unit: int, rungs: Sequence[Rung] = RUNGS) -> Iterator[tuple[Rung, int]]:
    """Yield each rung, and the steps of a survivor up to its end."""
    total = 0
    for rung in rungs:
        total += rung.units * unit
        yield rung, total


def units_in_sequence(workers: int, rungs: Sequence[Rung] = RUNGS) -> int:
    """Return the units that one of `workers` processes trains, if each rung waits for the one before."""
    return sum(-(-rung.jobs // workers) * rung.units for rung in rungs)


def count_table(*, sampled: int, malicious: int, clients: int) -> CountTable:
    """Return the table whose rows cover the numbers of malicious clients that occur in a round."""
    expected = sampled * malicious / clients
    counts = {min(sampled, max(1, round(expected * multiple))) for multiple in EXPECTED_MULTIPLES}
    return CountTable(sampled, tuple(sorted(counts)), base=True)


def search_of(contender: Contender, table: CountTable) -> CrossEntropySearch:
    """Return the search of a contender, which begins with constants near its start."""
    if not contender.observes_features:
        start = contender.start + (0.0,) * (len(contender.start) * len(table.counts))
        return replace(SEARCH, family=table, start=start)
    encoder = FeatureEncoder(FEATURES, CountEncoder(table.counts, table.sampled))
    # The weights come first, then the biases: the action without any feature.
    start = (0.0,) * ((FEATURES + len(table.counts)) * len(contender.start)) + contender.start
    return replace(SEARCH, family=SmallNetworks(encoder=encoder), start=start)


def td3_from(policy: PolicyNetwork) -> ActorCritic:
    """Return TD3 that starts from a policy and observes what the policy does.

    With the one-hot of the count alone it learns sooner than with the weights beside it, and the term against
    saturation keeps the actor from the ends of its range (docs/learning.md).
    """
    settings = UpdateSettings(hidden=(64, 64), discount=0.9, saturation=0.05)
    return ActorCritic(settings, batch=128, warmup=400, start=policy, encoder=policy.encoder)
