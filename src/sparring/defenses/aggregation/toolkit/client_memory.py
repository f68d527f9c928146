"""Per-client memory: what each client has sent so far, one row for each that was ever seen."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.contracts import Defense, Memory
from sparring.errors import ConfigError


def refuse_per_client(wrapper: str, inner: Defense) -> None:
    """Refuse a rule that remembers clients, or that wraps one: what `wrapper` hands on is more than one client's.

    A rule says that it does by a field or class variable `per_client`.
    """
    if getattr(inner, "per_client", False):
        raise ConfigError(
            f"{wrapper}: inner {type(inner).__name__} remembers each client, and would be given averages over clients; "
            "use a rule without per-client memory"
        )
    if hasattr(inner, "inner"):
        refuse_per_client(wrapper, inner.inner)


def enrolled(memory: Memory, clients: Sequence[int]) -> Tensor:
    """Return the ids of this round's clients, followed by those of the absent ones in memory."""
    absent = [client for client in _remembered(memory) if client not in set(clients)]
    return torch.tensor([*clients, *absent], dtype=torch.int64)


def recalled(memory: Memory, name: str, *, ids: Tensor, new: Vector) -> Tensor:
    """Return a copy of what memory holds under `name` for each of these ids, `new` for one that it does not know."""
    held = new.repeat(len(ids), *[1] * new.dim())
    if name in memory:
        places = {client: place for place, client in enumerate(ids.tolist())}
        held[[places[client] for client in _remembered(memory)]] = memory[name]
    return held


def add_updates(sums: Matrix, updates: Matrix, *, scale: float = 1.0) -> Matrix:
    """Add the scaled updates to the first rows of `sums`, in place; overflow saturates."""
    largest = torch.finfo(sums.dtype).max
    sums[: len(updates)].add_(updates, alpha=scale).clamp_(-largest, largest)
    return sums


def _remembered(memory: Memory) -> list[int]:
    return memory["clients"].tolist() if memory else []
