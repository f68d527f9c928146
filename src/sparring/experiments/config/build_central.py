"""Build the players and the learner that the configuration of a central training describes."""

from math import prod
from typing import Any

from sparring.arrays import Batch, pixels
from sparring.contracts import MinibatchRecipe, Targeted, differentiates_twice
from sparring.data import Dataset, hold_out, keep_classes, take_examples
from sparring.errors import ConfigError, attribute_errors
from sparring.experiments.config.build import load_source
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.central_schema import CentralConfig
from sparring.experiments.config.memory import FLOAT, GIBIBYTE, count_parameters, memory_of
from sparring.games.recursive import BlackBoxAttack, CentralTraining
from sparring.models import network
from sparring.random import stream
from sparring.registry import build
from sparring.training import check_twice_differentiable
from sparring.training.objectives import OBJECTIVES
from sparring.validation import check_device

HALF = 2
"""Bytes of a number in the history of perturbations."""
ACTIVATIONS = 5
"""How often the inputs of a minibatch are held at once, at least, while a gradient is differentiated."""


def load_central_dataset(config: CentralConfig, catalogues: Catalogues = CATALOGUES) -> Dataset:
    """Load the data set of a run: the training examples to use, and the validation examples held out of them."""
    dataset = load_source(config.data.member, catalogues)
    if config.data.only is not None:
        dataset = keep_classes(dataset, config.data.only)
    held = hold_out(dataset, config.data.validation, rng=stream(config.seed, "validation"))
    if config.data.train is None:
        return held
    return take_examples(held, config.data.train, rng=stream(config.seed, "training examples"))


def build_central(config: CentralConfig, dataset: Dataset, *, catalogues: Catalogues = CATALOGUES) -> CentralTraining:
    """Build the training of a run on its data set."""
    assert dataset.validation is not None
    players = _build_players(config, catalogues)
    _refuse_unknown_class(players["attack"], classes=dataset.classes)
    architecture = build("model", catalogues["models"], config.model)
    with attribute_errors(f"model {type(architecture).__name__}"):
        size = count_parameters(architecture, dataset)
        _refuse_oversize(config, dataset, size=size)
        fitted = network(architecture, dataset)
    training = CentralTraining(
        network=fitted,
        train=dataset.train,
        validation=dataset.validation,
        test=dataset.test if config.evaluation.on == "test" else dataset.validation,
        recipe=_recipe(config),
        attack=_black_box(config, players["attack"]),
        defense=players["defense"],
        objective=OBJECTIVES[config.training.objective](),
        validation_batch=config.training.validation_batch,
        attacker_validates=config.threat.validation,
        sums_gradients=config.evaluation.gradient_norm,
        seed=config.seed,
    )
    if differentiates_twice(training.attack) or differentiates_twice(training.defense):
        _refuse_cut_gradients(training)
    return training if config.execution.device == "cpu" else training.to(config.execution.device)


def _refuse_unknown_class(attack: object, *, classes: int) -> None:
    """Reject an attack that is about a class which the data do not have."""
    target = attack.target if isinstance(attack, Targeted) else None
    if target is not None and target >= classes:
        raise ConfigError(f"attack.target is {target}; with {classes} classes it must be 0 to {classes - 1}")


def _refuse_cut_gradients(training: CentralTraining) -> None:
    """Reject a model through which no player can differentiate twice."""
    few = Batch(pixels(training.train.inputs[:2]), training.train.labels[:2])
    parameters = training.network.initial(stream(training.seed, "model"))
    check_twice_differentiable(training.network, parameters, batch=few, objective=training.objective)


def validate_central(config: CentralConfig, catalogues: Catalogues = CATALOGUES) -> None:
    """Reject invalid settings before any data is read, by building the players."""
    check_device("execution.device", config.execution.device)
    _build_players(config, catalogues)


def _build_players(config: CentralConfig, catalogues: Catalogues) -> dict[str, Any]:
    families = catalogues.families
    return {
        "attack": build("attack", catalogues["perturbations"], config.attack, families=families),
        "defense": build("defense", catalogues["purifications"], config.defense, families=families),
    }


def _black_box(config: CentralConfig, attack: Any) -> Any:
    """Return the attack, or its replay from a surrogate if the attacker does not see the model."""
    if config.threat.knowledge == "white_box":
        return attack
    return BlackBoxAttack(attack, validates=config.threat.validation, unknown=config.threat.unknown)


def _recipe(config: CentralConfig) -> MinibatchRecipe:
    training = config.training
    return MinibatchRecipe(training.epochs, training.batch, training.optimizer, training.lr)


def _refuse_oversize(config: CentralConfig, dataset: Dataset, *, size: int) -> None:
    """Reject a run whose minibatch and history of perturbations do not fit into memory."""
    needed, present = central_memory(config, dataset, size=size), memory_of(config.execution.device)
    if needed > present:
        sizes = f"a round needs {needed / GIBIBYTE:.1f} GiB of memory, and {present / GIBIBYTE:.1f} GiB are present"
        raise ConfigError(f"training: {sizes}; use a smaller model, fewer examples (data.train) or attack.momentum=0")


def central_memory(config: CentralConfig, dataset: Dataset, *, size: int) -> int:
    """Return the bytes of a round: model and moments, minibatch, and the attacker's history if it has one."""
    minibatch = ACTIVATIONS * config.training.batch * prod(dataset.shape)
    return FLOAT * (4 * size + minibatch) + history_memory(config, dataset)


def history_memory(config: CentralConfig, dataset: Dataset) -> int:
    """Return the bytes of the attacker's history of perturbations, one for each training example; 0 without one."""
    has_record = config.threat.knowledge == "black_box" or bool(config.attack.get("momentum", 0))
    return len(dataset.train.labels) * prod(dataset.shape) * HALF if has_record else 0
