"""All that one round hands to the next, and how it goes to disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from sparring.arrays import Vector, briefly
from sparring.contracts import Memory
from sparring.federation.scenario import Federation
from sparring.random import stream
from sparring.snapshot import Snapshot
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


MEMORY = "memory."
"""Stands before the names of the rule's tensors."""


def pack(state: FederationState) -> Snapshot:
    """Return a state's tensors, and its round."""
    # safetensors takes no tensors that share memory or lie in another order.
    tensors = {
        MEMORY + name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state.memory.items()
    }
    tensors["parameters"] = state.parameters
    if state.previous is not None:
        tensors["previous"] = state.previous
    if state.momenta:
        tensors["clients"] = torch.tensor(list(state.momenta))
        tensors["momenta"] = torch.stack(list(state.momenta.values()))
    return Snapshot(tensors, {"round": state.round})


def unpack(packed: Snapshot) -> FederationState:
    """Return the state that was packed."""
    tensors = packed.tensors
    memory = {name.removeprefix(MEMORY): tensor for name, tensor in tensors.items() if name.startswith(MEMORY)}
    clients = tensors["clients"].tolist() if "clients" in tensors else ()
    momenta = dict(zip(clients, tensors.get("momenta", ()), strict=True))
    return FederationState(packed.numbers["round"], tensors["parameters"], memory, momenta, tensors.get("previous"))
