"""All that one round hands to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sparring.arrays import Vector, briefly
from sparring.contracts import Memory
from sparring.federation.scenario import Federation
from sparring.random import stream
from sparring.validation import check_kind


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

    __repr__ = briefly


def initial_state(federation: Federation) -> FederationState:
    """Return the state before the first round; the model depends on the seed alone."""
    remedy = "give a Federation, such as scenario.federation"
    check_kind("initial_state: federation", federation, kind=Federation, remedy=remedy)
    return FederationState(0, federation.network.initial(stream(federation.seed, "model")))


def check_state(label: str, state: object) -> None:
    """Refuse what is no state of a federation."""
    check_kind(label, state, kind=FederationState, remedy="give a state, such as initial_state(federation)")
