"""Evaluation of a global model: clean accuracy, and the accuracy of backdoors."""

from functools import cache, partial
from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Batch, in_chunks, pixels
from sparring.contracts import Backdoor, Checking, Model, Repair
from sparring.federation.benign_updates import root_update
from sparring.federation.participants import sample_clients
from sparring.federation.scenario import Federation, Scenario, check_scenario
from sparring.federation.server import plan_round, server_of
from sparring.federation.state import FederationState, check_state
from sparring.player_checks import check_batch, check_meant, check_model, guard_player
from sparring.random import stream
from sparring.training import evaluate
from sparring.training.evaluation import CHUNK


class Measures(NamedTuple):
    """The metrics of a model, by the names of a record's fields; None where a metric is undefined."""

    loss: float | None
    accuracy: float
    class_accuracy: tuple[float | None, ...]
    backdoor_accuracy: float | None = None
    backdoor_accuracy_with_target: float | None = None
    backdoor_accuracy_of_all: float | None = None


class Reach(NamedTuple):
    """Fractions of triggered images that a model classifies as the target.

    Over the images that the trigger is meant for, then including the target class, then over all; NaN over no images.
    """

    meant: float
    with_target: float
    of_all: float


def measure(scenario: Scenario, state: FederationState) -> Measures:
    """Evaluate the model that the server would deploy: the global model after the repair, if there is one.

    With several backdoors, their accuracies are averaged.
    """
    check_scenario("measure: scenario", scenario)
    check_state("measure: state", state)
    model, test = repair_model(scenario, state), scenario.federation.test
    loss, accuracy, by_class = evaluate(model.network, model.parameters, on=test)
    reached = [reach(model, backdoor, on=test) for backdoor in scenario.backdoors]
    shares = torch.tensor(reached, dtype=torch.float64).reshape(-1, len(Reach._fields)).mean(dim=0)
    return Measures(_finite(loss), accuracy, tuple(map(_finite, by_class)), *map(_finite, shares.tolist()))


def repair_model(scenario: Scenario, state: FederationState) -> Model:
    """Return the model that the server would deploy."""
    model = Model(scenario.federation.network, state.parameters)
    return _repair(scenario, model, repair=server_of(scenario).deployed(state.server), round=state.round)


def _repair(scenario: Scenario, model: Model, *, repair: Repair | None, round: int) -> Model:
    if repair is None:
        return model
    clean = _clean(scenario.federation)
    with guard_player("post-training defense", repair) as watch:
        watch.show("parameters", model.parameters)
        for name, tensor in () if clean is None else clean._asdict().items():
            watch.show(f"the root data's {name}", tensor)
        repaired = repair.repair(model, root=clean, rng=stream(scenario.federation.seed, "repair", round))
    return check_model(repair, repaired)


def check_repair(scenario: Scenario, state: FederationState) -> None:
    """Reject a repair that does not fit the model; a repair that learns is only checked, not trained.

    A server that plans each round is checked by its plan from this state.
    """
    federation = scenario.federation
    clients, root = sample_clients(federation, state.round), cache(partial(root_update, federation, state))
    repair = plan_round(scenario, state, clients=clients, root=root).scenario.repair
    model = Model(federation.network, state.parameters)
    if not isinstance(repair, Checking):
        _repair(scenario, model, repair=repair, round=state.round)
        return
    with guard_player("post-training defense", repair):
        repair.check(model, root=_clean(federation))


def _clean(federation: Federation) -> Batch | None:
    """Return the server's root data with inputs in [0, 1]."""
    root = federation.root
    return None if root is None else Batch(pixels(root.inputs), root.labels)


def reach(model: Model, backdoor: Backdoor, *, on: Batch) -> Reach:
    """Return the fractions of triggered images of `on` that the model classifies as the target."""
    with guard_player("poison", backdoor) as watch:
        meant = check_meant(backdoor, backdoor.meant(watch.show("labels", on.labels)), labels=on.labels)
    concerned = meant | (on.labels == backdoor.target)
    hits = torch.empty_like(concerned)
    groups = [concerned.nonzero().flatten(), (~concerned).nonzero().flatten()]
    if 1 in map(len, groups):
        groups = [torch.cat(groups)]  # a model with batch normalization may not accept a single example
    for rows in groups:
        for some in in_chunks(rows, CHUNK) if len(rows) > 0 else ():
            hits[some] = _hits(model, backdoor, of=Batch(*(part[some] for part in on)))
    return Reach(*(hits[counted].double().mean().item() for counted in (meant, concerned, slice(None))))


def trigger_images(backdoor: Backdoor, images: Batch) -> Batch:
    """Return the triggered images of a backdoor, after checking their form."""
    batch = Batch(pixels(images.inputs), images.labels)
    with guard_player("poison", backdoor) as watch:
        watch.show("inputs", batch.inputs)
        return check_batch(backdoor, backdoor.triggered(batch), batch=batch)


def _hits(model: Model, backdoor: Backdoor, *, of: Batch) -> Tensor:
    """Return a boolean per image: whether its triggered version is classified as the target."""
    return model(trigger_images(backdoor, of).inputs).argmax(dim=1) == backdoor.target


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
