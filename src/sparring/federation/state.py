"""The state between two rounds, and its serialization."""

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
    """The number of completed rounds, the global model, the players' memories and the clients' momenta.

    The previous model is kept if there are attackers, who may have seen it.
    """

    round: int
    parameters: Vector
    memory: Memory = field(default_factory=dict)
    """The rule's."""
    momenta: Mapping[int, Vector] = field(default_factory=dict)
    previous: Vector | None = None
    server: Memory = field(default_factory=dict)
    """The server's, if it plans each round."""
    attacks: Mapping[int, Memory] = field(default_factory=dict)
    """Those of the attackers, by their numbers in the scenario; one without a memory is left out."""

    __repr__ = briefly


def initial_state(federation: Federation) -> FederationState:
    """Return the state before the first round; the model depends only on the seed."""
    remedy = "give a Federation, such as scenario.federation"
    check_kind("initial_state: federation", federation, kind=Federation, remedy=remedy)
    return FederationState(0, federation.network.initial(stream(federation.seed, "model")))


def check_state(label: str, state: object) -> None:
    """Reject a value that is not a federation's state."""
    check_kind(label, state, kind=FederationState, remedy="give a state, such as initial_state(federation)")


MEMORY, SERVER, ATTACK = "memory.", "server.", "attack."
"""Prefixes of the names of the players' tensors; an attacker's number follows its prefix."""


def pack(state: FederationState) -> Snapshot:
    """Return a state as a snapshot."""
    memories = {MEMORY: state.memory, SERVER: state.server}
    memories |= {f"{ATTACK}{number}.": memory for number, memory in state.attacks.items()}
    # safetensors rejects tensors that share memory or are not contiguous.
    tensors = {
        prefix + name: tensor.clone(memory_format=torch.contiguous_format)
        for prefix, memory in memories.items()
        for name, tensor in memory.items()
    }
    tensors["parameters"] = state.parameters
    if state.previous is not None:
        tensors["previous"] = state.previous
    if state.momenta:
        tensors["clients"] = torch.tensor(list(state.momenta))
        tensors["momenta"] = torch.stack(list(state.momenta.values()))
    return Snapshot(tensors, {"round": state.round})


def unpack(packed: Snapshot) -> FederationState:
    """Return the state in a snapshot."""
    tensors = packed.tensors
    clients = tensors["clients"].tolist() if "clients" in tensors else ()
    momenta = dict(zip(clients, tensors.get("momenta", ()), strict=True))
    return FederationState(
        packed.numbers["round"],
        tensors["parameters"],
        memory=_memory(tensors, MEMORY),
        momenta=momenta,
        previous=tensors.get("previous"),
        server=_memory(tensors, SERVER),
        attacks={number: _memory(tensors, f"{ATTACK}{number}.") for number in _attackers(tensors)},
    )


def _memory(tensors: Memory, prefix: str) -> Memory:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _attackers(tensors: Memory) -> list[int]:
    """Return the numbers of the attackers with a memory."""
    return sorted({int(name.split(".")[1]) for name in tensors if name.startswith(ATTACK)})
