"""The complete description of a simulation before its first round."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from math import floor, inf
from typing import NamedTuple

import torch

from sparring.arrays import Batch, briefly, on_device
from sparring.contracts import (
    Backdoor,
    Backend,
    Defense,
    Network,
    Recipe,
    Repair,
    Server,
    limit_of,
    needs_root_data,
    own_malicious,
)
from sparring.data import ClientShards, CommonShards, MixedShards
from sparring.errors import ConfigError, attribute_errors
from sparring.federation.threat import Attacker, Threat, check_attackers, check_recipe
from sparring.training import Auto
from sparring.validation import (
    check_batch,
    check_counts,
    check_device,
    check_kind,
    check_network,
    check_numbers,
    check_player,
    check_shards,
    is_player,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Federation:
    """Clients with their shards, a server with its model, and their training settings."""

    network: Network
    shards: ClientShards | CommonShards | MixedShards = field(repr=False)
    test: Batch = field(repr=False)
    """Test data of the global model."""
    root: Batch | None = field(default=None, repr=False)
    """Clean examples that the server holds."""
    sampled: int = 10
    """Clients that take part in a round, drawn without replacement."""
    recipe: Recipe = Recipe()
    server_lr: float = 1.0
    momentum: float = 0.0
    """Clients send m ← momentum · m + (1 - momentum) · update in place of their update (Karimireddy et al., 2021)."""
    seed: int = 0
    backend: Backend = field(default_factory=Auto)

    def __post_init__(self) -> None:
        self._check_kinds()
        if not 1 <= self.sampled <= self.clients:
            raise ConfigError(f"federation.sampled is {self.sampled}; it must be from 1 to clients ({self.clients})")
        check_recipe("federation", self.recipe)
        _check_minibatch("federation", self.recipe, network=self.network)
        if not 0 < self.server_lr < inf:
            raise ConfigError(f"federation.server_lr is {self.server_lr}; it must be positive and finite")
        if not 0 <= self.momentum < 1:
            raise ConfigError(f"federation.momentum is {self.momentum}; it must be at least 0 and below 1")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must be at least 0")

    def to(self, device: torch.device | str) -> "Federation":
        """Return the same federation with its tensors on a device, such as "cuda", where it is then trained."""
        check_device("federation", str(device))
        kept = {name: on_device(getattr(self, name), device) for name in ("test", "root")}
        return replace(self, network=self.network.to(device), shards=self.shards.to(device), **kept)

    @property
    def device(self) -> torch.device:
        """The device of the examples, and so of the computation."""
        return self.test.labels.device

    def _check_kinds(self) -> None:
        check_network("federation.network", self.network)
        check_shards("federation.shards", self.shards)
        check_batch("federation.test", self.test, example="data.test")
        if self.root is not None:
            check_batch("federation.root", self.root, example="root=Batch(*(part[:100] for part in data.train))")
        check_player("federation.backend", self.backend, verb="updates")
        check_counts("federation", sampled=self.sampled)
        check_numbers("federation", server_lr=self.server_lr, momentum=self.momentum)
        check_counts("", seed=self.seed)

    @property
    def clients(self) -> int:
        """Number of clients."""
        return len(self.shards)


def _check_minibatch(section: str, recipe: Recipe, *, network: Network) -> None:
    """Reject minibatches that are too small for a model with batch normalization."""
    fewest: int = getattr(network, "fewest", 1)
    if recipe.batch < fewest:
        raise ConfigError(
            f"{section}.batch is {recipe.batch}; the model normalizes over examples, use {section}.batch >= {fewest}"
        )


class AttackerClients(NamedTuple):
    """An attacker with its clients and their shards."""

    attacker: Attacker
    clients: range
    shards: ClientShards | CommonShards | MixedShards


@dataclass(frozen=True, eq=False)
class Scenario:
    """A federation, its server's rule and repair, its attackers, and the threat model."""

    federation: Federation
    defense: Defense | Server
    """A rule, or a server that plans a rule and a repair in each round."""
    attackers: Sequence[Attacker] = ()
    threat: Threat = Threat()
    repair: Repair | None = None
    """Post-training defense, applied before every evaluation; training continues without it."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        self._check_kinds()
        federation, malicious = self.federation, sum(attacker.malicious for attacker in self.attackers)
        if malicious > federation.clients:
            raise ConfigError(f"attack.malicious is {malicious}; there are {federation.clients} clients")
        for attacker in self.attackers:
            if attacker.recipe is not None:
                _check_minibatch("attack", attacker.recipe, network=federation.network)
            if attacker.attack is not None:
                with attribute_errors(f"attack {type(attacker.attack).__name__}"):
                    self.threat.check(attacker.attack)
        with attribute_errors(f"defense {type(self.defense).__name__}"):
            self._check_defense()
        if self.repair is not None and isinstance(self.defense, Server):
            name, planner = type(self.repair).__name__, type(self.defense).__name__
            raise ConfigError(f"post_training {name} has no place: defense {planner} plans its own; leave it out")
        if self.repair is not None and self.repair.needs_root and self.federation.root is None:
            name = type(self.repair).__name__
            raise ConfigError(f"post_training {name} needs root data; use data.root_size >= 1")

    def _check_kinds(self) -> None:
        remedy = "give a Federation: Federation(network=..., shards=..., test=...)"
        check_kind("scenario.federation", self.federation, kind=Federation, remedy=remedy)
        verb = "plan" if is_player(self.defense, "plan") else "aggregate"
        check_player("scenario.defense", self.defense, verb=verb)
        check_attackers(self.attackers)
        check_kind("scenario.threat", self.threat, kind=Threat, remedy="give a Threat: Threat(knowledge=...)")
        if self.repair is not None:
            check_player("scenario.repair", self.repair, verb="repair")

    def _check_defense(self) -> None:
        name, sampled = type(self.defense).__name__, self.federation.sampled
        own, limit = own_malicious(self.defense), limit_of(self.defense, sampled)
        if isinstance(own, int) and own > limit:
            raise ConfigError(f"defense.malicious is {own}; {name} can take {limit} of {sampled} sampled clients")
        assumed = self.threat.assumed(sampled)
        if own is None and assumed > limit:
            raise ConfigError(
                f"defense {name}: {assumed} of {sampled} sampled clients are assumed malicious, it can take {limit}; "
                f"use threat.assumed_malicious <= {floor(1000 * limit / sampled) / 1000:g}"
            )
        # What a server plans is checked when it plans.
        is_rule = not isinstance(self.defense, Server)
        if self.federation.root is None and is_rule and needs_root_data(self.defense):
            raise ConfigError(f"defense {name} needs root data; use data.root_size >= 1")

    @property
    def backdoors(self) -> tuple[Backdoor, ...]:
        """The attackers' backdoors, with their target classes."""
        return tuple(backdoor for attacker in self.attackers for backdoor in attacker.backdoors)

    @cached_property
    def parties(self) -> tuple[AttackerClients, ...]:
        """The attackers with their clients: the first ids belong to the first attacker, and so on.

        Partitions assign clients to groups in turn, so that the first ids are spread evenly over the groups.
        """
        bounds = pairwise(accumulate((attacker.malicious for attacker in self.attackers), initial=0))
        played = zip(self.attackers, (range(*pair) for pair in bounds), strict=True)
        return tuple(AttackerClients(attacker, own, self.federation.shards.restricted(own)) for attacker, own in played)


def variant(
    scenario: Scenario, *, seed: int, attackers: Sequence[Attacker], defense: Defense | Server, repair: Repair | None
) -> Scenario:
    """Return the scenario with another seed and other players, without validation.

    The new players must be of the same kinds as the validated ones, and control as many clients.
    """
    other, federation = copy(scenario), copy(scenario.federation)
    vars(federation)["seed"] = seed
    paired = zip(scenario.parties, attackers, strict=True)
    vars(other).update(
        federation=federation,
        attackers=attackers,
        defense=defense,
        repair=repair,
        parties=tuple(party._replace(attacker=attacker) for party, attacker in paired),
    )
    return other


def check_scenario(label: str, scenario: object) -> None:
    """Reject a value that is not a scenario."""
    check_kind(
        label, scenario, kind=Scenario, remedy="give a Scenario: Scenario(federation, Median(), [Attacker(...)])"
    )
