"""Build the types of an attack domain: their attackers, worlds and followers."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from sparring.arrays import Batch
from sparring.attacks.learned.acting import ACTING, ActionDecoder, PoisonedSearchActions
from sparring.contracts import RoundPlan, Server
from sparring.data import Dataset, draw_examples
from sparring.errors import ConfigError
from sparring.experiments.config.build import build_scenario, validate
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.schema import Config
from sparring.experiments.hardening.domain_settings import FollowerSettings, TypeSettings
from sparring.federation import Attacker, Federation, Scenario
from sparring.federation.evaluation import trigger_images
from sparring.games.federated import (
    ATTACKER,
    AttackerSeat,
    AttackType,
    BackdoorObjective,
    DomainType,
    LearningAttacker,
    SeatControlled,
    SeatObjective,
    UntargetedObjective,
)
from sparring.games.federated.domain import attribute_type
from sparring.learning.distribution.observed_training import held_examples
from sparring.random import stream
from sparring.registry import build

CEILING = 3.0
"""Upper bound of a follower's losses."""
TESTED = 200
"""Maximum number of the follower's examples on which its rewards are measured."""


def build_domain(
    settings: Mapping[str, TypeSettings], dataset: Dataset, *, catalogues: Catalogues = CATALOGUES
) -> dict[str, DomainType]:
    """Build the types of a domain on a data set; types with equal worlds share one federation."""
    worlds: list[tuple[Config, Federation]] = []
    domain = {}
    for name, each in settings.items():
        with attribute_type(name):
            built = build_scenario(each.config, dataset, catalogues=catalogues)
            scenario = replace(built, federation=_share_world(each.config, built.federation, worlds))
            domain[name] = _build_type(each, scenario, catalogues, classes=dataset.classes)
    return domain


def _share_world(config: Config, built: Federation, worlds: list[tuple[Config, Federation]]) -> Federation:
    """Return the federation of an equal world that was built before, or else this one, which is then kept."""
    plain = replace(config, attacks=(), files={})
    known = next((federation for other, federation in worlds if other == plain), None)
    if known is None:
        worlds.append((plain, built))
    return built if known is None else known


def _build_type(settings: TypeSettings, scenario: Scenario, catalogues: Catalogues, *, classes: int) -> DomainType:
    attackers, world = tuple(scenario.attackers), scenario.federation
    if settings.follower is None:
        return DomainType(AttackType(attackers, settings.weight), world)
    attackers = (*attackers, Attacker(settings.follower.malicious, SeatControlled(ATTACKER)))
    acting = build("follower.acting", ACTING, settings.follower.acting, families=catalogues.families, classes=classes)
    role = AttackerSeat(
        acting, _follower_objective(acting, replace(scenario, attackers=attackers)), "level", is_deployed=True
    )
    follower = LearningAttacker(role, _build_plan(settings.follower, catalogues))
    return DomainType(AttackType(attackers, settings.weight), world, follower)


def _build_plan(settings: FollowerSettings, catalogues: Catalogues) -> RoundPlan:
    server = validate(settings.against, catalogues)
    if isinstance(server.defense, Server):
        name = settings.against.defense["name"]
        raise ConfigError(f"follower.against.defense is {name!r}, which plans each round; use a fixed rule")
    return RoundPlan(server.defense, server.repair)


def _follower_objective(acting: ActionDecoder, scenario: Scenario) -> SeatObjective:
    """Return the value of a model to a follower, measured on examples that the malicious clients hold."""
    rng = stream(scenario.federation.seed, "follower's examples")
    clean = draw_examples(held_examples(scenario), TESTED, rng=rng)
    if not isinstance(acting, PoisonedSearchActions):
        return UntargetedObjective(clean, CEILING)
    meant = acting.backdoor.meant(clean.labels)
    if not torch.any(meant):
        raise ConfigError("follower: its clients have no image that its backdoor is meant for; give it more clients")
    triggered = trigger_images(acting.backdoor, Batch(clean.inputs[meant], clean.labels[meant]))
    return BackdoorObjective(triggered, clean, ceiling=CEILING)
