"""What the clients of an attacker see of a training in which they behave, and what it gives away."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from sparring.arrays import Vector, briefly
from sparring.federation import Federation, FederationState, Scenario
from sparring.federation.participants import sample_clients
from sparring.inversion import aggregated_gradient


class ObservedModel(NamedTuple):
    """The global model that the clients of a round were sent."""

    round: int
    parameters: Vector

    def __repr__(self) -> str:
        return briefly(self)


class EstimatedGradient(NamedTuple):
    """A gradient that was read out of two sightings, and the model at which it was taken, at least in part."""

    round: int
    """The round of the earlier sighting: its clients took their gradients at this model."""
    parameters: Vector
    gradient: Vector

    def __repr__(self) -> str:
        return briefly(self)


def observed_models(scenario: Scenario, states: Iterable[FederationState]) -> Iterator[ObservedModel]:
    """Yield the models that a malicious client was sent, whether or not its attacker had started."""
    malicious = {client for party in scenario.parties for client in party.clients}
    for state in states:
        if malicious.intersection(sample_clients(scenario.federation, state.round)):
            yield ObservedModel(state.round, state.parameters)


def step_size(federation: Federation) -> float:
    """Return what takes a client's gradient to the server's step; of several local steps only roughly so."""
    return federation.recipe.lr * federation.recipe.steps * federation.server_lr


def estimated_gradients(seen: Iterable[ObservedModel], *, lr: float) -> Iterator[EstimatedGradient]:
    """Yield the gradient between each sighting and the next (RLA, algorithm 2).

    It is matched at the earlier model, at which the first of its rounds was played; the paper takes the later one.
    """
    for earlier, later in pairwise(seen):
        rounds = later.round - earlier.round
        gradient = aggregated_gradient(earlier.parameters, later.parameters, lr=lr, rounds=rounds)
        yield EstimatedGradient(earlier.round, earlier.parameters, gradient)
