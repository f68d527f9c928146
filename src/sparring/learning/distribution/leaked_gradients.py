"""Observations of malicious clients while they train honestly, and the gradients estimated from them."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from sparring.arrays import Vector, briefly
from sparring.federation import Federation, FederationState, Scenario
from sparring.federation.participants import sample_clients
from sparring.inversion import aggregated_gradient


class ObservedModel(NamedTuple):
    """The global model that the clients of a round received."""

    round: int
    parameters: Vector

    def __repr__(self) -> str:
        return briefly(self)


class EstimatedGradient(NamedTuple):
    """A gradient estimated from two observed models, and the model that it refers to."""

    round: int
    """The round of the earlier observation, in which the clients trained from this model."""
    parameters: Vector
    gradient: Vector

    def __repr__(self) -> str:
        return briefly(self)


def observed_models(scenario: Scenario, states: Iterable[FederationState]) -> Iterator[ObservedModel]:
    """Yield the models that a malicious client received, whether or not its attacker had started."""
    malicious = {client for party in scenario.parties for client in party.clients}
    for state in states:
        if malicious.intersection(sample_clients(scenario.federation, state.round)):
            yield ObservedModel(state.round, state.parameters)


def step_size(federation: Federation) -> float:
    """Return the factor from a client's gradient to the server's step; approximate for several local steps."""
    return federation.recipe.lr * federation.recipe.steps * federation.server_lr


def estimated_gradients(seen: Iterable[ObservedModel], *, lr: float) -> Iterator[EstimatedGradient]:
    """Yield the gradient between each observed model and the next (RLA, algorithm 2).

    It is matched at the earlier model, from which the first of its rounds started; the paper uses the later one.
    """
    for earlier, later in pairwise(seen):
        rounds = later.round - earlier.round
        gradient = aggregated_gradient(earlier.parameters, later.parameters, lr=lr, rounds=rounds)
        yield EstimatedGradient(earlier.round, earlier.parameters, gradient)
