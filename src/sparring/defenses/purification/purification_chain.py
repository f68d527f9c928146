"""Two purifications, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from sparring.contracts import Memory, MinibatchView, Preparation, Preparing, Purification, Purified


@dataclass(frozen=True)
class PurificationChain:
    """Purify each minibatch by `first`, and what it leaves by `second`, which may be another chain.

    `second` sees the network that `first` returns. Both draw from the round's generator, in this order.
    """

    first: Purification
    """The purification that sees the attacker's minibatch."""
    second: Purification
    """The purification of what `first` returns."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "that of both"
    assumption: ClassVar[str] = "those of both"

    def prepare(self, preparation: Preparation) -> Memory:
        """Return the memories of those members that learn before the first round."""
        members = {"first": self.first, "second": self.second}
        return _merged(
            {name: each.prepare(preparation) for name, each in members.items() if isinstance(each, Preparing)}
        )

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        one, first = self.first.purify(view, _part(memory, "first"))
        between = replace(view, batch=one.batch, network=one.network or view.network)
        other, second = self.second.purify(between, _part(memory, "second"))
        return Purified(other.batch, other.network or one.network), _merged({"first": first, "second": second})


def _part(memory: Memory, name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): tensor for key, tensor in memory.items() if key.startswith(prefix)}


def _merged(memories: Mapping[str, Memory]) -> dict[str, Tensor]:
    return {f"{name}.{key}": tensor for name, memory in memories.items() for key, tensor in memory.items()}
