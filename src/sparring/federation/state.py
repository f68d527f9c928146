"""All that one round hands to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sparring.arrays import Vector
from sparring.contracts import Memory
from sparring.federation.scenario import Federation
from sparring.random import stream


@dataclass(frozen=True, eq=False)
class FederationState:
    """The number of rounds played, the global model, the rule's memory and the clients' momenta.

    The model before it is kept where there are attackers, who may have seen it.
    """

    round: int
    parameters: Vector
    memory: Memory = field(default_factory=dict)
    momenta: Mapping[int, Vector] = field(default_factory=dict)
    previous: Vector | None = None


def initial_state(federation: Federation) -> FederationState:
    """Return the state before the first round; the model depends on the seed alone."""
    return FederationState(0, federation.network.initial(stream(federation.seed, "model")))
