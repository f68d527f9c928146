"""The federation that a hardening simulates: from the server's root data, or from the clients' true shards."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sparring.arrays import Batch, briefly
from sparring.contracts import RoundPlan, Server
from sparring.data import Dataset
from sparring.defenses import NeuroClip
from sparring.defenses.learned.actions import ACTING, RepairName
from sparring.errors import ConfigError
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.catalogues import Catalogues, list_without_options
from sparring.experiments.hardening.build_domain import build_domain
from sparring.experiments.hardening.request import HardeningRequest
from sparring.federation import Federation, Scenario, initial_state, play_round
from sparring.federation.evaluation import check_repair
from sparring.games.federated.domain import DefenderTerms, DomainType
from sparring.generation import Augmentation
from sparring.random import stream
from sparring.registry import build
from sparring.training import Auto

AUGMENTATION = Augmentation()


@dataclass(frozen=True, eq=False)
class SimulatedWorld:
    """The simulated federation and the types of the domain in it. It holds no test data."""

    scenario: Scenario
    """The federation with the server's root data, without attackers."""
    domain: Mapping[str, DomainType]
    terms: DefenderTerms
    rules: Mapping[str, RoundPlan]
    """The fixed rules of the catalogue that it is compared with: those that need no option and can play here."""
    left_out: Mapping[str, str]
    """Why other rules cannot play here, by their names."""

    __repr__ = briefly


def simulate_world(request: HardeningRequest, dataset: Dataset | None = None) -> SimulatedWorld:
    """Return the world of a request; no example of the test split is read into it."""
    dataset = load_dataset(request.config, request.catalogues) if dataset is None else dataset
    real = build_scenario(request.config, dataset, catalogues=request.catalogues)
    root = real.federation.root
    assert root is not None
    if request.settings.knowledge == "root_data":
        dataset = _augmented(root, dataset, request)
    settings = request.settings
    scenario = replace(real, federation=_fast(replace(real.federation, test=root)), attackers=())
    domain = build_domain(request.types, dataset, catalogues=request.catalogues)
    domain = {name: replace(each, world=_fast(each.world or real.federation)) for name, each in domain.items()}
    terms = DefenderTerms(
        ACTING[settings.actions](repair=settings.repair or _fitting_repair(scenario)),
        rounds=request.rounds,
        layers=settings.layers,
        sees_backdoors=settings.sees_backdoors,
        weight=settings.backdoor_weight,
        gain=settings.reward,
    )
    rules, left_out = _fixed_rules(scenario, request.catalogues)
    return SimulatedWorld(scenario, domain, terms, rules, left_out)


def _fast(federation: Federation) -> Federation:
    """Return a federation that may round otherwise than a run, where that is faster."""
    return replace(federation, backend=Auto(pooled=True)) if federation.backend == Auto() else federation


def _augmented(root: Batch, dataset: Dataset, request: HardeningRequest) -> Dataset:
    """Return a data set of augmented root data, in the form of the real one."""
    rng = stream(request.config.seed, "augmented root data")
    made = AUGMENTATION(root, size=request.settings.images, rng=rng)
    return replace(dataset, train=made, test=root, validation=None)


def _fitting_repair(scenario: Scenario) -> RepairName:
    """Return NeuroClip for a model that has hidden activations, none for others."""
    try:
        check_repair(replace(scenario, repair=NeuroClip()), initial_state(scenario.federation))
    except ConfigError:
        return "none"
    return "neuroclip"


def _fixed_rules(scenario: Scenario, catalogues: Catalogues) -> tuple[dict[str, RoundPlan], dict[str, str]]:
    """Return the rules of the catalogue that need no option, with the defaults of all others, and why some are not."""
    rules, left_out = {}, {}
    for name in list_without_options("defenses", catalogues):
        rule = build("defense", catalogues["defenses"], {"name": name})
        if isinstance(rule, Server):
            continue
        try:
            played = replace(scenario, defense=rule, repair=None)
            play_round(played, initial_state(played.federation))
        except ConfigError as error:
            left_out[name] = str(error)
        else:
            rules[name] = RoundPlan(rule)
    return rules, left_out
