"""Per-client memory of rules: one row for each client ever seen."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.contracts import Defense, Memory, traits_of
from sparring.errors import ConfigError


def refuse_per_client(wrapper: str, inner: Defense) -> None:
    """Reject a rule with per-client memory, nested or not, since `wrapper` passes on averages over several clients.

    A rule declares its memory by a field or class variable `per_client`.
    """
    traits = traits_of(inner)
    if traits.per_client:
        raise ConfigError(
            f"{wrapper}: inner {type(inner).__name__} remembers each client, and would be given averages over clients; "
            "use a rule without per-client memory"
        )
    if traits.inner is not None:
        refuse_per_client(wrapper, traits.inner)


def list_client_ids(memory: Memory, clients: Sequence[int]) -> Tensor:
    """Return the ids of this round's clients, followed by those of the absent clients in memory."""
    absent = [client for client in _stored_clients(memory) if client not in set(clients)]
    return torch.tensor([*clients, *absent], dtype=torch.int64)


def recall(memory: Memory, name: str, *, ids: Tensor, new: Vector) -> Tensor:
    """Return a copy of the memory's rows under `name` for these ids, with `new` for unknown ids."""
    held = new.repeat(len(ids), *[1] * new.dim())
    if name in memory:
        indices = {client: index for index, client in enumerate(ids.tolist())}
        held[[indices[client] for client in _stored_clients(memory)]] = memory[name]
    return held


def add_updates(sums: Matrix, updates: Matrix, *, scale: float = 1.0) -> Matrix:
    """Add the scaled updates to the first rows of `sums`, in place; overflow saturates."""
    largest = torch.finfo(sums.dtype).max
    sums[: len(updates)].add_(updates, alpha=scale).clamp_(-largest, largest)
    return sums


def _stored_clients(memory: Memory) -> list[int]:
    return memory["clients"].tolist() if memory else []
