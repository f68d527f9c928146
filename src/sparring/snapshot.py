"""The state of a player, a game or a learner as it goes to disk, and back."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor


class Snapshot(NamedTuple):
    """A state as it goes to disk: tensors, and everything else as JSON has it."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]

    def __repr__(self) -> str:
        return f"Snapshot({len(self.tensors)} tensors, numbers={list(self.numbers)})"

    def part(self, name: str) -> "Snapshot":
        """Return what went in under a name."""
        prefix = f"{name}:"
        own = {key.removeprefix(prefix): tensor for key, tensor in self.tensors.items() if key.startswith(prefix)}
        return Snapshot(own, self.numbers[name])


def merge(parts: Mapping[str, Snapshot], **numbers: Any) -> Snapshot:
    """Pack several states into one, with numbers beside them."""
    tensors = {f"{name}:{key}": tensor for name, part in parts.items() for key, tensor in part.tensors.items()}
    return Snapshot(tensors, {**numbers, **{name: part.numbers for name, part in parts.items()}})


State = TypeVar("State")


class Codec(NamedTuple, Generic[State]):
    """The way of a state to disk, and back."""

    pack: Callable[[State], Snapshot]
    unpack: Callable[[Snapshot], State]
