"""Serialization of the state of a player, a game or a learner: to disk and back."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor


class Snapshot(NamedTuple):
    """A state in serializable form: tensors, and everything else as JSON."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]

    def __repr__(self) -> str:
        return f"Snapshot({len(self.tensors)} tensors, numbers={list(self.numbers)})"

    def part(self, name: str) -> "Snapshot":
        """Return the snapshot that was merged under a name."""
        prefix = f"{name}:"
        own = {key.removeprefix(prefix): tensor for key, tensor in self.tensors.items() if key.startswith(prefix)}
        return Snapshot(own, self.numbers[name])


def merge(parts: Mapping[str, Snapshot], **numbers: Any) -> Snapshot:
    """Merge several snapshots into one, with further JSON values."""
    tensors = {f"{name}:{key}": tensor for name, part in parts.items() for key, tensor in part.tensors.items()}
    return Snapshot(tensors, {**numbers, **{name: part.numbers for name, part in parts.items()}})


State = TypeVar("State")


class Codec(NamedTuple, Generic[State]):
    """The conversion of a state to a snapshot, and back."""

    pack: Callable[[State], Snapshot]
    unpack: Callable[[Snapshot], State]
