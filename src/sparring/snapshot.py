"""Serialization of the state of a player, a game or a learner: to disk and back."""

from collections.abc import Callable, Collection, Mapping
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


def pack_fields(fields: Mapping[str, Any]) -> Snapshot:
    """Return the fields of a named tuple, which are tensors, snapshots and JSON values, as a snapshot."""
    tensors = {name: value for name, value in fields.items() if isinstance(value, Tensor)}
    parts = {name: value for name, value in fields.items() if isinstance(value, Snapshot)}
    others = {name: value for name, value in fields.items() if name not in tensors and name not in parts}
    merged = merge(parts, **others)
    return Snapshot({**tensors, **merged.tensors}, merged.numbers)


def unpack_fields(packed: Snapshot, *, kind: Callable[..., State], parts: Collection[str] = ()) -> State:
    """Return the named tuple that `pack_fields` packed; `parts` are its snapshots. Lists become tuples."""
    tensors = {name: tensor for name, tensor in packed.tensors.items() if name.partition(":")[0] not in parts}
    numbers = {name: tuple(each) if isinstance(each, list) else each for name, each in packed.numbers.items()}
    return kind(**{**tensors, **numbers, **{name: packed.part(name) for name in parts}})


class Codec(NamedTuple, Generic[State]):
    """The conversion of a state to a snapshot, and back."""

    pack: Callable[[State], Snapshot]
    unpack: Callable[[Snapshot], State]
