"""Checks of the players of minibatch training."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Batch
from sparring.conformance.check import Check, are_equal, copies
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import (
    Memory,
    MinibatchRecipe,
    MinibatchView,
    Perturbation,
    Preparation,
    Preparing,
    Purification,
)
from sparring.data import Synthetic
from sparring.models import Mlp, ModuleNetwork, network
from sparring.player_checks import check_perturbed, check_prepared, check_purified
from sparring.random import stream
from sparring.training import CrossEntropy, gradient

SIZE, EXAMPLES = 10, 40
DATA = Synthetic(classes=3, features=8, examples=80)


def minibatch(size: int = SIZE) -> MinibatchView:
    """Return what a player sees of a round of a small classifier; a new one for each call."""
    own, train, validation = _setting()
    parameters = own.initial(stream(0, "model"))

    def validation_gradient() -> Tensor:
        return gradient(own, parameters, batch=validation).mul_(len(validation.labels))

    return MinibatchView(
        round=0,
        network=own,
        parameters=parameters,
        objective=CrossEntropy(),
        batch=Batch(train.inputs[:size].clone(), train.labels[:size].clone()),
        examples=torch.arange(size),
        eta=0.01,
        validation=validation,
        validation_gradient=validation_gradient,
        rng=stream(0, "round"),
    )


def _setting() -> tuple[ModuleNetwork, Batch, Batch]:
    """Return a network, training examples and validation examples, scaled to [0, 1]."""
    data = DATA.load()
    inputs = data.train.inputs
    low, high = inputs.aminmax()
    scaled = (inputs - low) / (high - low)
    train = Batch(scaled[:EXAMPLES], data.train.labels[:EXAMPLES])
    return network(Mlp(hidden=5), data), train, Batch(scaled[EXAMPLES:], data.train.labels[EXAMPLES : len(scaled)])


def prepared(player: object, role: "PlayedRole") -> Memory:
    """Return the memory that a player begins with."""
    if not isinstance(player, Preparing):
        return {}
    own, train, validation = _setting()
    preparation = Preparation(
        own,
        own.initial(stream(0, "model")),
        CrossEntropy(),
        train if role is ATTACKER else None,
        validation,
        MinibatchRecipe(epochs=1, batch=SIZE),
        stream(0, "preparation"),
    )
    return check_prepared(role.name, player, player.prepare(preparation))


class PlayedRole(NamedTuple):
    """How one of the two players is played."""

    name: str
    play: Callable[[Any, MinibatchView, Memory], tuple[tuple[Tensor, ...], Memory]]
    """Returns the tensors that the player answers, and its memory."""


def _perturb(attack: Perturbation, view: MinibatchView, memory: Memory) -> tuple[tuple[Tensor, ...], Memory]:
    inputs, after = check_perturbed(attack, attack.perturb(view, memory), batch=view.batch)
    return (inputs,), after


def _purify(defense: Purification, view: MinibatchView, memory: Memory) -> tuple[tuple[Tensor, ...], Memory]:
    answer = defense.purify(replace(view, examples=None), memory)
    purified, after = check_purified(defense, answer, batch=view.batch)
    return tuple(purified.batch), after


ATTACKER, DEFENDER = PlayedRole("attack", _perturb), PlayedRole("defense", _purify)


def perturbed_inputs_can_be_trained_on(attack: Perturbation) -> Iterator[str]:
    yield from _unusable(attack, ATTACKER)


def its_minibatch_and_memory_are_left_alone(attack: Perturbation) -> Iterator[str]:
    yield from _edits(attack, ATTACKER)


def equal_rounds_are_perturbed_equally(attack: Perturbation) -> Iterator[str]:
    yield from _differences(attack, ATTACKER)


def purified_minibatches_can_be_trained_on(defense: Purification) -> Iterator[str]:
    yield from _unusable(defense, DEFENDER)


def the_minibatch_and_memory_that_it_is_given_are_left_alone(defense: Purification) -> Iterator[str]:
    yield from _edits(defense, DEFENDER)


def equal_rounds_are_purified_equally(defense: Purification) -> Iterator[str]:
    yield from _differences(defense, DEFENDER)


def _unusable(player: object, role: PlayedRole) -> Iterator[str]:
    """Yield in which rounds, one after the other, a player returns inputs that a learner cannot train on."""
    memory = prepared(player, role)
    for name, size in {"a minibatch": SIZE, "one example": 1}.items():
        (inputs, *_), memory = role.play(player, minibatch(size), memory)
        low, high = (bound.item() for bound in inputs.aminmax())
        if not 0 <= low <= high <= 1:
            yield f"{name}: inputs run from {low:g} to {high:g}; they must stay within [0, 1]"


def _differences(player: object, role: PlayedRole) -> Iterator[str]:
    """Yield whether equal rounds are played in two ways."""
    memory = prepared(player, role)
    first, second = (role.play(player, minibatch(), memory)[0] for _ in range(2))
    if not are_equal(first, second):
        yield "the same round is played in two ways; draw from view.rng"


def _edits(player: object, role: PlayedRole) -> Iterator[str]:
    """Yield what a player writes to in a round."""
    view, memory = minibatch(), prepared(player, role)
    shown = {"the minibatch": tuple(view.batch), "the parameters": (view.parameters,), "its memory": memory.values()}
    before = {name: copies(tensors) for name, tensors in shown.items()}
    role.play(player, view, memory)
    for name, tensors in shown.items():
        if not are_equal(tensors, before[name]):
            yield f"it edits {name} in place; return a copy"


PERTURBATION_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    perturbed_inputs_can_be_trained_on,
    its_minibatch_and_memory_are_left_alone,
    equal_rounds_are_perturbed_equally,
)
PURIFICATION_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    purified_minibatches_can_be_trained_on,
    the_minibatch_and_memory_that_it_is_given_are_left_alone,
    equal_rounds_are_purified_equally,
)
