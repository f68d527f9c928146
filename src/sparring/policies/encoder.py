"""Encoding of an observation before a policy's layers: standardized weights, and a one-hot of the count of clients."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import briefly
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.snapshot import Snapshot

SMALLEST_DEVIATION = 1e-6
"""A number that varies less than this is not scaled up."""


@dataclass(frozen=True, eq=False)
class CountEncoder:
    """Replace the share of malicious clients, the last number of an observation, by a one-hot of their count.

    Entry i is 1 while the count is at least `counts[i]` and below `counts[i + 1]`; of a smaller count all are 0.
    """

    counts: tuple[int, ...]
    sampled: int
    """Clients in a round: the share times this is the count."""
    mean: Tensor | None = None
    """What is subtracted from the other numbers; without it they are left out."""
    deviation: Tensor | None = None
    """What they are divided by."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if not self.counts or list(self.counts) != sorted(set(self.counts)) or self.counts[0] < 0:
            raise ConfigError(f"encoder.counts is {list(self.counts)}; it must rise, from at least 0")
        if self.sampled < 1:
            raise ConfigError(f"encoder.sampled is {self.sampled}; it must be at least 1")
        if (self.mean is None) != (self.deviation is None):
            raise ConfigError("encoder.mean and encoder.deviation go together; give both or neither")

    def __call__(self, observation: Tensor) -> Tensor:
        """Return the `[..., features]` of `[..., numbers]` observations."""
        count = (observation[..., -1] * self.sampled).round()
        group = torch.bucketize(count, torch.tensor(self.counts, dtype=count.dtype), right=True)
        one_hot = torch.nn.functional.one_hot(group, len(self.counts) + 1)[..., 1:].to(observation.dtype)
        if self.mean is None or self.deviation is None:
            return one_hot
        others = (observation[..., :-1] - self.mean) / self.deviation.clamp(min=SMALLEST_DEVIATION)
        return torch.cat([others, one_hot], dim=-1)

    def pack(self) -> Snapshot:
        """Return the encoder as a snapshot."""
        tensors = {name: getattr(self, name) for name in ("mean", "deviation") if getattr(self, name) is not None}
        return Snapshot(tensors, {"counts": list(self.counts), "sampled": self.sampled})

    def size(self, observation: int) -> int:
        """Return the number of features for an observation of length `observation`."""
        return len(self.counts) + (0 if self.mean is None else observation - 1)


@dataclass(frozen=True, eq=False)
class FeatureEncoder:
    """Keep the features of a round and the share of malicious clients, the last numbers of an observation.

    With a `table` the share is replaced by the one-hot of the count.
    """

    features: int
    """Numbers before the share."""
    table: CountEncoder | None = None

    def __post_init__(self) -> None:
        if self.features < 0:
            raise ConfigError(f"encoder.features is {self.features}; it must be at least 0")
        if self.table is not None and self.table.mean is not None:
            raise ConfigError("encoder.table has a mean; features take the place of other numbers, leave it out")

    def __call__(self, observation: Tensor) -> Tensor:
        """Return the `[..., features]` of `[..., numbers]` observations."""
        seen = observation[..., -1 - self.features :]
        return seen if self.table is None else torch.cat([seen[..., :-1], self.table(seen)], dim=-1)

    def pack(self) -> Snapshot:
        """Return the encoder as a snapshot."""
        table = None if self.table is None else self.table.pack().numbers
        return Snapshot({}, {"features": self.features, "table": table})

    def size(self, observation: int) -> int:
        """Return the number of features for an observation of length `observation`."""
        return self.features + (1 if self.table is None else self.table.size(observation))


@dataclass(frozen=True, eq=False)
class ProjectionEncoder:
    """Project an observation to a few numbers, so that a policy that sees a large layer has few weights.

    A random projection nearly keeps the distances between observations (Johnson and Lindenstrauss, 1984).
    """

    matrix: Tensor
    """`[observation, features]`."""

    __repr__ = briefly

    def __call__(self, observation: Tensor) -> Tensor:
        """Return the `[..., features]` of `[..., numbers]` observations."""
        return observation @ self.matrix

    def pack(self) -> Snapshot:
        """Return the encoder as a snapshot."""
        return Snapshot({"matrix": self.matrix}, {"projects": self.matrix.shape[1]})

    def size(self, observation: int) -> int:
        """Return the number of features; 0 for an observation of another length, which it cannot project."""
        return self.matrix.shape[1] if observation == len(self.matrix) else 0


def random_projection(observation: int, features: int, *, rng: Generator) -> ProjectionEncoder:
    """Return an encoder that projects observations of a length at random."""
    drawn = torch.from_numpy(rng.standard_normal((observation, features), dtype=np.float32))
    return ProjectionEncoder(drawn / features**0.5)


@dataclass(frozen=True, eq=False)
class RankEncoder:
    """Encode what a member of a team observes: the team's observation by another encoder, and the rank as it is."""

    inner: "Encoder"

    def __call__(self, observation: Tensor) -> Tensor:
        """Return the `[..., features]` of `[..., numbers]` observations, the last of which is the rank."""
        return torch.cat([self.inner(observation[..., :-1]), observation[..., -1:]], dim=-1)

    def pack(self) -> Snapshot:
        """Return the encoder as a snapshot."""
        tensors, numbers = self.inner.pack()
        return Snapshot(tensors, {"ranked": numbers})

    def size(self, observation: int) -> int:
        """Return the number of features for an observation of length `observation`."""
        inner = self.inner.size(observation - 1)
        return inner + 1 if inner > 0 else 0


Encoder = CountEncoder | FeatureEncoder | ProjectionEncoder | RankEncoder


def unpack_encoder(packed: Snapshot) -> Encoder:
    """Return the encoder that was packed."""
    numbers = packed.numbers
    if "ranked" in numbers:
        return RankEncoder(unpack_encoder(Snapshot(packed.tensors, numbers["ranked"])))
    if "projects" in numbers:
        return ProjectionEncoder(packed.tensors["matrix"])
    if "features" in numbers:
        table = numbers["table"]
        return FeatureEncoder(numbers["features"], None if table is None else _unpack_counts(Snapshot({}, table)))
    return _unpack_counts(packed)


def _unpack_counts(packed: Snapshot) -> CountEncoder:
    tensors, numbers = packed
    return CountEncoder(tuple(numbers["counts"]), numbers["sampled"], tensors.get("mean"), tensors.get("deviation"))
