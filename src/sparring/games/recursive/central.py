"""One learner whose minibatches are perturbed by an attacker and purified by a defender (R2T2, section 3).

A round is one base game (equation 5): the attacker perturbs a minibatch, the defender sees it and purifies it, and the
learner takes one step.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arrays import Batch, Vector, briefly, on_device, pixels
from sparring.contracts import (
    Memory,
    MinibatchRecipe,
    MinibatchView,
    Network,
    Note,
    Objective,
    Perturbation,
    Preparation,
    Preparing,
    Purification,
    Purified,
    Targeted,
    learns_beforehand,
)
from sparring.errors import ConfigError
from sparring.games.recursive.measurement import CentralRecord, measure_central, sum_gradient_norms
from sparring.player_checks import check_perturbed, check_prepared, check_purified, guard_player
from sparring.random import stream
from sparring.records import round_number
from sparring.registry import lookup
from sparring.snapshot import Codec, Snapshot
from sparring.training.gradients import summed_gradient
from sparring.training.objectives import CrossEntropy
from sparring.training.optimizers import OPTIMIZERS, Optimizer

ATTACK, DEFENSE, MOMENTS = "attack.", "defense.", "optimizer."
"""Prefixes of the names of tensors in a snapshot."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CentralTraining:
    """A learner, its examples, its attacker and its defender."""

    network: Network
    train: Batch
    validation: Batch
    """Both players care for the learner's loss on these."""
    test: Batch
    recipe: MinibatchRecipe
    attack: Perturbation
    defense: Purification
    objective: Objective = field(default_factory=CrossEntropy)
    validation_batch: int | None = None
    """The number of validation examples of a round, drawn again in every round; None takes all."""
    attacker_validates: bool = True
    """Whether the attacker has the validation examples; if not, its own minibatch takes their place (A.2.4)."""
    sums_gradients: bool = False
    """Whether evaluations sum the norms of the training examples' gradients."""
    seed: int = 0

    __repr__ = briefly

    def __post_init__(self) -> None:
        if len(self.validation.labels) == 0:
            raise ConfigError(
                "validation: there are no validation examples; both players need some, set data.validation"
            )
        lookup("training.optimizer", OPTIMIZERS, self.recipe.optimizer)

    @property
    def rounds(self) -> int:
        """The number of minibatches of all epochs."""
        return self.recipe.epochs * self.rounds_per_epoch

    @property
    def rounds_per_epoch(self) -> int:
        """The number of minibatches of an epoch; the last one may be smaller."""
        return ceil(len(self.train.labels) / self.recipe.batch)

    @cached_property
    def optimizer(self) -> Optimizer:
        """The learner's optimizer."""
        optimizer: Optimizer = lookup("training.optimizer", OPTIMIZERS, self.recipe.optimizer)(lr=self.recipe.lr)
        return optimizer

    @property
    def target(self) -> int | None:
        """The class that a targeted attack is about."""
        return self.attack.target if isinstance(self.attack, Targeted) else None

    def to(self, device: str) -> "CentralTraining":
        """Return the same training on a device."""
        moved = {name: on_device(getattr(self, name), device) for name in ("train", "validation", "test")}
        return replace(self, network=self.network.to(device), **moved)


@dataclass(frozen=True, eq=False)
class CentralState:
    """The number of completed rounds, the model, the optimizer's moments and the players' memories."""

    round: int
    parameters: Vector
    moments: Memory = field(default_factory=dict)
    attack: Memory = field(default_factory=dict)
    defense: Memory = field(default_factory=dict)

    __repr__ = briefly


def initial_central_state(training: CentralTraining) -> CentralState:
    """Return the state before the first round; players that learn beforehand do it here."""
    parameters = training.network.initial(stream(training.seed, "model"))
    attack = _prepare("attack", training.attack, training=training, parameters=parameters)
    defense = _prepare("defense", training.defense, training=training, parameters=parameters)
    return CentralState(0, parameters, attack=attack, defense=defense)


def preparing_players(training: CentralTraining) -> tuple[str, ...]:
    """Return the roles whose players learn before the first round."""
    players = {"attack": training.attack, "defense": training.defense}
    return tuple(role for role, player in players.items() if learns_beforehand(player))


def _prepare(role: str, player: object, *, training: CentralTraining, parameters: Vector) -> Memory:
    if not isinstance(player, Preparing):
        return {}
    train = Batch(pixels(training.train.inputs), training.train.labels) if role == "attack" else None
    validation = Batch(pixels(training.validation.inputs), training.validation.labels)
    with guard_player(role, player):
        memory = player.prepare(
            Preparation(
                network=training.network,
                parameters=parameters,
                objective=training.objective,
                train=train,
                validation=validation,
                recipe=training.recipe,
                rng=stream(training.seed, role, "preparation"),
            )
        )
    return check_prepared(role, player, memory)


def play_minibatch(training: CentralTraining, state: CentralState) -> tuple[CentralState, CentralRecord]:
    """Play one base game, and let the learner take its step (equations 1 to 3)."""
    events: dict[str, int] = {}

    def note(event: str, examples: Sequence[int]) -> None:
        events[event] = events.get(event, 0) + len(examples)

    view = view_minibatch(training, state, minibatch_rows(training, state.round), note=note)
    with guard_player("attack", training.attack) as watch:
        watch.show("the minibatch", view.batch.inputs)
        answer: object = training.attack.perturb(view, state.attack)
    perturbed, attack = check_perturbed(training.attack, answer, batch=view.batch)
    with guard_player("defense", training.defense) as watch:
        watch.show("the minibatch", perturbed)
        answer = training.defense.purify(_defenders(training, view, perturbed), state.defense)
    purified, defense = check_purified(training.defense, answer, batch=view.batch)
    stepped, moments = _learn(training, state, purified)
    record = CentralRecord(
        round=state.round + 1,
        perturbed=_mean_norm(perturbed, view.batch.inputs),
        purified=_mean_norm(purified.batch.inputs, perturbed),
        step_norm=round_number(torch.linalg.vector_norm(stepped - state.parameters).item()),
        events=events or None,
    )
    return CentralState(state.round + 1, stepped, moments, attack, defense), record


def minibatch_rows(training: CentralTraining, round: int) -> Tensor:
    """Return the indices of a round's minibatch; every epoch has an order of its own."""
    epoch, place = divmod(round, training.rounds_per_epoch)
    order = _epoch_order(training.seed, epoch, len(training.train.labels))
    size = training.recipe.batch
    return torch.from_numpy(order[place * size : (place + 1) * size].copy()).to(training.train.labels.device)


@lru_cache(2)
def _epoch_order(seed: int, epoch: int, examples: int) -> NDArray[np.int64]:
    """Return the order of the examples in an epoch, which all its rounds share."""
    order: NDArray[np.int64] = stream(seed, "order", epoch).permutation(examples)
    return order


def view_minibatch(training: CentralTraining, state: CentralState, rows: Tensor, *, note: Note) -> MinibatchView:
    """Return the attacker's view of some training examples."""
    batch = Batch(pixels(training.train.inputs[rows]), training.train.labels[rows])
    validation = _validation(training, state.round) if training.attacker_validates else batch
    return MinibatchView(
        round=state.round,
        network=training.network,
        parameters=state.parameters,
        objective=training.objective,
        batch=batch,
        examples=rows,
        eta=training.recipe.lr / len(rows),
        validation=validation,
        validation_gradient=_gradient_on(training, state.parameters, validation),
        rng=stream(training.seed, "attack", state.round),
        note=note,
    )


def _defenders(training: CentralTraining, view: MinibatchView, perturbed: Tensor) -> MinibatchView:
    """Return the defender's view, who has the validation examples, and does not recognize the minibatch's."""
    shown = replace(
        view,
        batch=Batch(perturbed, view.batch.labels),
        examples=None,
        rng=stream(training.seed, "defense", view.round),
    )
    if training.attacker_validates:
        return shown
    validation = _validation(training, view.round)
    gradient = _gradient_on(training, view.parameters, validation)
    return replace(shown, validation=validation, validation_gradient=gradient)


def _gradient_on(training: CentralTraining, parameters: Vector, batch: Batch) -> Callable[[], Vector]:
    """Return a function that computes the gradient of the summed loss once."""
    return cache(lambda: summed_gradient(training.network, parameters, batch=batch, objective=training.objective))


def _validation(training: CentralTraining, round: int) -> Batch:
    """Return the validation examples of a round."""
    held, size = training.validation, training.validation_batch
    if size is None or size >= len(held.labels):
        return Batch(pixels(held.inputs), held.labels)
    drawn = stream(training.seed, "validation batch", round).choice(len(held.labels), size, replace=False)
    rows = torch.from_numpy(drawn).to(held.labels.device)
    return Batch(pixels(held.inputs[rows]), held.labels[rows])


def _learn(training: CentralTraining, state: CentralState, purified: Purified) -> tuple[Vector, Memory]:
    """Take one step along the mean gradient of what the defender leaves."""
    network = purified.network or training.network
    total = summed_gradient(network, state.parameters, batch=purified.batch, objective=training.objective)
    return training.optimizer.step(state.parameters, total.div_(len(purified.batch.labels)), state.moments)


def _mean_norm(after: Tensor, before: Tensor) -> float | None:
    """Return the mean norm of a change; None if the examples are others."""
    if after.shape != before.shape:
        return None
    return round_number(torch.linalg.vector_norm((after - before).flatten(1), dim=1).mean().item())


def simulate_central(
    training: CentralTraining, *, every: int | None = None, state: CentralState | None = None
) -> Iterator[tuple[CentralState, CentralRecord]]:
    """Yield the state and the record of each round; from the start, the initial state first.

    The model is evaluated at the start, every `every` rounds, by default once an epoch, and after the last one.
    """
    every = training.rounds_per_epoch if every is None else every
    if state is None:
        state = initial_central_state(training)
        yield state, _evaluated(CentralRecord(round=0), training, state=state)
    while state.round < training.rounds:
        state, record = play_minibatch(training, state)
        is_due = state.round % every == 0 or state.round == training.rounds
        yield state, _evaluated(record, training, state=state) if is_due else record


def train_central(training: CentralTraining) -> CentralState:
    """Return the state after the last round, without an evaluation in between."""
    state = initial_central_state(training)
    while state.round < training.rounds:
        state, _ = play_minibatch(training, state)
    return state


def _evaluated(record: CentralRecord, training: CentralTraining, *, state: CentralState) -> CentralRecord:
    measures = measure_central(training.network, state.parameters, on=training.test, target=training.target)
    found = replace(record, **measures._asdict())
    if not training.sums_gradients:
        return found
    total = sum_gradient_norms(training.network, state.parameters, on=training.train, objective=training.objective)
    return replace(found, gradient_norm=total)


def _pack(state: CentralState) -> Snapshot:
    held = {MOMENTS: state.moments, ATTACK: state.attack, DEFENSE: state.defense}
    tensors = {
        prefix + name: tensor.clone(memory_format=torch.contiguous_format)
        for prefix, memory in held.items()
        for name, tensor in memory.items()
    }
    return Snapshot({**tensors, "parameters": state.parameters}, {"round": state.round})


def _unpack(packed: Snapshot) -> CentralState:
    def part(prefix: str) -> Mapping[str, Any]:
        own = packed.tensors.items()
        return {name.removeprefix(prefix): tensor for name, tensor in own if name.startswith(prefix)}

    moments, attack, defense = map(part, (MOMENTS, ATTACK, DEFENSE))
    return CentralState(packed.numbers["round"], packed.tensors["parameters"], moments, attack, defense)


CENTRAL_CODEC = Codec(_pack, _unpack)
"""The conversion of a state to a snapshot, and back."""
