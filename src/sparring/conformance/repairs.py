"""Checks of post-training defenses, on the models that they accept."""

from collections.abc import Iterator
from typing import Any

import torch

from sparring.arrays import Batch
from sparring.conformance.check import Check, are_equal, are_finite, copies
from sparring.conformance.models import GRAY, started
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Model, Repair
from sparring.errors import ConfigError
from sparring.models import LeNet, Mlp, network
from sparring.player_checks import check_model
from sparring.random import stream

ROOT = 40
"""Examples that the server holds."""


def root_data() -> Batch:
    return Batch(GRAY.inputs(ROOT), torch.arange(ROOT) % GRAY.classes)


def trained() -> Iterator[tuple[str, Model]]:
    """Yield a convolutional model and one without convolutions."""
    for architecture in (LeNet(), Mlp()):
        fitted = network(architecture, GRAY)
        yield type(architecture).__name__, Model(fitted, started(fitted))


def repaired(repair: Repair, model: Model, *, root: Batch | None) -> Model:
    return check_model(repair, repair.repair(model, root=root, rng=stream(0, "repair")))


def taken(repair: Repair) -> Iterator[tuple[str, Model, Model]]:
    """Repair every accepted kind of model; yield its name, the model and the repaired model."""
    for name, model in trained():
        try:
            yield name, model, repaired(repair, model, root=root_data())
        except ConfigError:
            continue


def it_takes_a_small_model(repair: Repair) -> Iterator[str]:
    if not list(taken(repair)):
        _, model = next(trained())
        repaired(repair, model, root=root_data())
        yield "it rejects every model"


def it_says_whether_it_needs_root_data(repair: Repair) -> Iterator[str]:
    needs: Any = repair.needs_root
    if not isinstance(needs, bool):
        yield f"needs_root is {needs!r}; it must be true or false"
    elif not needs:
        for _, model, _ in taken(repair):
            repaired(repair, model, root=None)


def the_logits_are_finite_and_one_a_class(repair: Repair) -> Iterator[str]:
    for name, _, changed in taken(repair):
        logits = changed(GRAY.inputs(3))
        if logits.shape != (3, GRAY.classes) or not are_finite([logits]):
            yield f"{name}: the logits are not finite, or not one per class"


def the_model_that_it_is_given_is_left_alone(repair: Repair) -> Iterator[str]:
    for (name, model), root in ((each, root_data()) for each in trained()):
        inputs = GRAY.inputs(3)
        before = copies([model.parameters, model(inputs), *root])
        try:
            repaired(repair, model, root=root)
        except ConfigError:
            continue
        if not are_equal([model.parameters, model(inputs), *root], before):
            yield f"{name}: it changes the model or the root data in place; return another model"


def equal_generators_give_equal_models(repair: Repair) -> Iterator[str]:
    for name, model, changed in taken(repair):
        again = repaired(repair, model, root=root_data())
        if not torch.equal(again(GRAY.inputs(3)), changed(GRAY.inputs(3))):
            yield f"{name}: the same model gives different results; draw from rng"


REPAIR_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    it_takes_a_small_model,
    it_says_whether_it_needs_root_data,
    the_logits_are_finite_and_one_a_class,
    the_model_that_it_is_given_is_left_alone,
    equal_generators_give_equal_models,
)
