"""Build the players and the federation that a configuration describes."""

from dataclasses import asdict, replace
from typing import NamedTuple

from sparring.arrays import Batch
from sparring.attacks import CoordinatedAttack, LearnedAttack
from sparring.contracts import Defense, Recipe, Repair, Server
from sparring.data import ClientShards, Dataset, Partitioner, Source, Synthetic, divide, root_sample, with_validation
from sparring.defenses import NoRepair
from sparring.errors import ConfigError, PluginError, attribute_errors
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.memory import refuse_oversize
from sparring.experiments.config.parse import FACTS
from sparring.experiments.config.schema import AttackerSettings, Config, EvaluationSettings, FederationSettings
from sparring.experiments.config.sections import Section
from sparring.federation import Attacker, Federation, Scenario, Threat
from sparring.federation.evaluation import check_repair, trigger_images
from sparring.federation.state import initial_state
from sparring.models import network
from sparring.random import stream
from sparring.registry import build, lookup
from sparring.validation import check_device


class BuiltDefense(NamedTuple):
    """The parts that do not depend on the data: the rule and the repair."""

    defense: Defense | Server
    repair: Repair | None


def load_dataset(config: Config, catalogues: Catalogues = CATALOGUES) -> Dataset:
    """Load the data set of a run, with its validation split."""
    dataset = load_source(config.data.member, catalogues)
    return with_validation(dataset, config.data.validation, rng=stream(config.seed, "validation"))


def load_source(section: Section, catalogues: Catalogues) -> Dataset:
    """Load the data set that a section names."""
    source: Source = build("data", catalogues["datasets"], section)
    with attribute_errors(f"data {type(source).__name__}"):
        dataset = catalogues.loaded(section, source.load)
    if not isinstance(dataset, Dataset):
        given = type(dataset).__name__
        raise PluginError(f"data {type(source).__name__} loaded {given}; it must load a Dataset")
    return dataset


def build_scenario(
    config: Config, dataset: Dataset, *, catalogues: Catalogues = CATALOGUES, server: BuiltDefense | None = None
) -> Scenario:
    """Build the scenario of a run on its data set; `server` is the result of `validate`, if it was called."""
    server = _build_server(config, catalogues) if server is None else server
    scenario = _assemble_scenario(config, dataset, server=server, catalogues=catalogues, classes=dataset.classes)
    if config.execution.device != "cpu":
        scenario = replace(scenario, federation=scenario.federation.to(config.execution.device))
    # A repair that does not fit the model, or a trigger that does not fit the images, is rejected before its first use.
    check_repair(scenario, initial_state(scenario.federation))
    for backdoor in scenario.backdoors:
        trigger_images(backdoor, Batch(*(part[:1] for part in dataset.test)))
    for attacker in scenario.attackers:
        if isinstance(attacker.attack, LearnedAttack | CoordinatedAttack):
            attacker.attack.check(scenario.federation.network)
    return scenario


def _build_server(config: Config, catalogues: Catalogues) -> BuiltDefense:
    defense = build("defense", catalogues["defenses"], config.defense, families=catalogues.families)
    repair = build("post_training", catalogues["post-training"], config.post_training)
    # A server that plans its repairs has no place for another, not even for the one that changes nothing.
    return BuiltDefense(defense, None if isinstance(defense, Server) and isinstance(repair, NoRepair) else repair)


def _assemble_scenario(
    config: Config, dataset: Dataset, *, server: BuiltDefense, catalogues: Catalogues, classes: int
) -> Scenario:
    return Scenario(
        federation=_build_federation(config, dataset, catalogues=catalogues),
        defense=server.defense,
        attackers=[
            _build_attacker(settings, config, catalogues=catalogues, classes=classes) for settings in config.attacks
        ],
        threat=Threat(**asdict(config.threat)),
        repair=server.repair,
    )


def validate(config: Config, catalogues: Catalogues = CATALOGUES) -> BuiltDefense:
    """Reject invalid settings before any data is read, by building the run on two synthetic examples per client.

    Returns the server, which need not be built again.
    """
    check_device("execution.device", config.execution.device)
    stand_in = Synthetic(classes=2, features=1, examples=max(4, 2 * config.federation.clients)).load()
    held = replace(config.data, partition={"name": "iid"}, root_size=min(1, config.data.root_size), root_bias=None)
    simple = replace(config, data=held, model={"name": "logistic"}, evaluation=EvaluationSettings())
    server = _build_server(config, catalogues)
    _assemble_scenario(simple, stand_in, server=server, catalogues=catalogues, classes=FACTS["classes"])
    return server


def _build_federation(config: Config, dataset: Dataset, *, catalogues: Catalogues) -> Federation:
    settings = config.federation
    partition = build("data.partition", catalogues["partitions"], config.data.partition)
    architecture = build("model", catalogues["models"], config.model)
    with attribute_errors(f"model {type(architecture).__name__}"):
        refuse_oversize(architecture, dataset, settings=settings, device=config.execution.device)
        fitted = network(architecture, dataset)
    return Federation(
        network=fitted,
        shards=_divide_shards(config, dataset.train, partition=partition),
        test=_evaluation_examples(config, dataset),
        root=_draw_root(config, dataset.train),
        sampled=settings.sampled,
        recipe=_recipe(settings),
        server_lr=settings.server_lr,
        momentum=settings.momentum,
        seed=config.seed,
        backend=lookup("execution.backend", catalogues["backends"], config.execution.backend)(),
    )


def _divide_shards(config: Config, train: Batch, *, partition: Partitioner) -> ClientShards:
    """Divide the training examples among the clients."""
    name, clients = f"partition {type(partition).__name__}", config.federation.clients
    with attribute_errors(name):
        shards = divide(train, partition, clients=clients, seed=config.seed)
    if len(shards) != clients:
        raise PluginError(f"{name} made {len(shards)} shards; it must make one for each of {clients} clients")
    return shards


def _evaluation_examples(config: Config, dataset: Dataset) -> Batch:
    """Return the examples for evaluating the global model."""
    if config.evaluation.on == "test":
        return dataset.test
    if dataset.validation is None:
        raise ConfigError("evaluation.on is 'validation'; there is no validation split, use data.validation > 0")
    return dataset.validation


def _draw_root(config: Config, train: Batch) -> Batch | None:
    """Return the server's root data, drawn from the clients' training examples."""
    size, bias = config.data.root_size, config.data.root_bias
    if size == 0:
        return None
    chosen = root_sample(train.labels, size=size, bias=bias, rng=stream(config.seed, "root"))
    return Batch(train.inputs[chosen], train.labels[chosen])


def _build_attacker(settings: AttackerSettings, config: Config, *, catalogues: Catalogues, classes: int) -> Attacker:
    player = build("attack", catalogues["attacks"], settings.member, families=catalogues.families, classes=classes)
    return Attacker(
        settings.malicious,
        attack=player if callable(getattr(player, "craft", None)) else None,
        poison=player if callable(getattr(player, "poison", None)) else None,
        start=settings.start,
        recipe=_attacker_recipe(settings, config.federation),
        epochs=settings.local_epochs,
    )


def _attacker_recipe(settings: AttackerSettings, federation: FederationSettings) -> Recipe:
    """Return the training recipe of an attacker's clients; the federation's recipe is the default."""
    own = Recipe._make((settings.local_steps, settings.batch, settings.lr))
    return Recipe._make(theirs if mine is None else mine for mine, theirs in zip(own, _recipe(federation), strict=True))


def _recipe(settings: FederationSettings) -> Recipe:
    return Recipe(settings.local_steps, settings.batch, settings.lr)
