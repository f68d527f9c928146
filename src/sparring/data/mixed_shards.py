"""Shards of a world in which some clients keep their examples, and all others draw from a mixture (MARL, D.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch

from sparring.arrays import Batch, briefly
from sparring.data.shards import ClientShards, CommonShards
from sparring.errors import ConfigError
from sparring.random import Generator


@dataclass(frozen=True, eq=False)
class MixedShards:
    """The own shards of the clients in `keeping`; the examples in `common` for all others."""

    common: CommonShards
    own: ClientShards
    keeping: frozenset[int]

    __repr__ = briefly

    def __post_init__(self) -> None:
        if not self.keeping <= set(range(len(self.own))):
            raise ConfigError(f"shards: {max(self.keeping)} keeps its examples; there are {len(self.own)} clients")

    def __len__(self) -> int:
        return len(self.common)

    def __getitem__(self, client: int) -> Batch:
        return self._part(client)[client]

    def held(self, client: int) -> int:
        """Return how many examples a client holds."""
        return self._part(client).held(client)

    def to(self, device: torch.device | str) -> "MixedShards":
        """Return the same shards on a device."""
        return replace(self, common=self.common.to(device), own=self.own.to(device))

    def draw(self, clients: Sequence[int], rngs: Sequence[Generator], *, steps: int, size: int) -> Batch:
        """Draw minibatches as `Shards.draw` does, for the clients of each part at once."""
        keep = [client in self.keeping for client in clients]
        if all(keep) or not any(keep):
            part = self.own if any(keep) else self.common
            return part.draw(clients, rngs, steps=steps, size=size)
        drawn: list[Batch] = []
        order: list[int] = []
        for part, is_kept in ((self.own, True), (self.common, False)):
            chosen = [row for row, kept in enumerate(keep) if kept == is_kept]
            own = [clients[row] for row in chosen], [rngs[row] for row in chosen]
            drawn.append(part.draw(*own, steps=steps, size=size))
            order.extend(chosen)
        places = torch.tensor(order).argsort()
        return Batch(*(torch.cat(parts)[places.to(parts[0].device)] for parts in zip(*drawn, strict=True)))

    def shared(self, size: int) -> CommonShards:
        """Return shards that all hold the same examples, spaced evenly over those kept and readable."""
        return self.own.shared(size) if self.keeping else self.common.shared(size)

    def restricted(self, clients: Iterable[int]) -> "MixedShards":
        """Return the same shards, of which only the kept ones of `clients` may be read; the mixture is for all."""
        return replace(self, own=self.own.restricted(self.keeping.intersection(clients)))

    def _part(self, client: int) -> ClientShards | CommonShards:
        return self.own if client in self.keeping else self.common
