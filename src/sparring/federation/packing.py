"""The state of a federation as it goes to disk."""

import torch

from sparring.arrays import Packed
from sparring.federation.state import FederationState

MEMORY = "memory."
"""Stands before the names of the rule's tensors."""


def pack(state: FederationState) -> Packed:
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
    return Packed(tensors, {"round": state.round})


def unpack(packed: Packed) -> FederationState:
    """Return the state that was packed."""
    tensors = packed.tensors
    memory = {name.removeprefix(MEMORY): tensor for name, tensor in tensors.items() if name.startswith(MEMORY)}
    clients = tensors["clients"].tolist() if "clients" in tensors else ()
    momenta = dict(zip(clients, tensors.get("momenta", ()), strict=True))
    return FederationState(packed.numbers["round"], tensors["parameters"], memory, momenta, tensors.get("previous"))
