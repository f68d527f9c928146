"""Views for the checks of attacks: small rounds, and stand-ins for everything in a view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np
import torch

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import BlackBoxView, DefenderView, Family, Memory, Network, OmniscientView, Recipe, unnoted
from sparring.data import CommonShards
from sparring.models import Logistic, network
from sparring.random import Generator, stream

PARAMETERS = 12


@dataclass(frozen=True)
class Facts:
    """A data set with three features and three classes: logistic regression has twelve parameters."""

    shape: tuple[int, ...] = (3,)
    classes: int = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@cache
def logistic() -> Network:
    """Return the attacked model."""
    # Not at import time, since creating a module draws from torch's global generator.
    return network(Logistic(), Facts())


@dataclass(frozen=True)
class Rule:
    """A rule with a given family; it returns the lower median."""

    family: Family = "coordinate"

    def limit(self, clients: int) -> int:
        return clients // 2

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        return view.updates.median(dim=0).values, memory


@dataclass(frozen=True)
class RandomShards:
    """Twenty random examples for each client."""

    def __getitem__(self, client: int) -> Batch:
        rng = stream(0, "shard", client)
        inputs = torch.from_numpy(rng.random((20, 3), dtype=np.float32))
        return Batch(inputs, torch.from_numpy(rng.integers(3, size=20)))

    def draw(self, clients: Sequence[int], rngs: Sequence[Generator], *, steps: int, size: int) -> Batch:
        drawn = [self._drawn(client, rng, shape=(steps, size)) for client, rng in zip(clients, rngs, strict=True)]
        return Batch(*map(torch.stack, zip(*drawn, strict=True)))

    def shared(self, size: int) -> CommonShards:
        held = Batch(*map(torch.cat, zip(*(self[client] for client in range(20)), strict=True)))
        return CommonShards(held, 20).shared(size)

    def _drawn(self, client: int, rng: Generator, *, shape: tuple[int, int]) -> Batch:
        rows = torch.from_numpy(rng.integers(20, size=shape))
        return Batch(*(tensor[rows] for tensor in self[client]))


def updates(rows: int, name: str, *, parameters: int = PARAMETERS) -> Matrix:
    """Draw updates with a shared direction and noise of the same magnitude."""
    shared = stream(0, "shared").normal(size=parameters)
    noise = stream(0, name).normal(size=(rows, parameters))
    return torch.from_numpy(0.1 * (shared + noise)).float()


BENIGN = updates(7, "benign")
OWN = updates(3, "own")

ROUNDS: Mapping[str, tuple[Matrix, Matrix]] = {
    "a usual round": (BENIGN, OWN),
    "one malicious": (BENIGN, OWN[:1]),
    "one benign": (BENIGN[:1], OWN),
    "one of each": (BENIGN[:1], OWN[:1]),
    "none benign": (BENIGN[:0], OWN),
    "more malicious than assumed": (BENIGN[:3], updates(9, "many")),
    "zeros": (torch.zeros_like(BENIGN), torch.zeros_like(OWN)),
    "equal rows": (BENIGN[:1].expand(7, -1), OWN[:1].expand(3, -1)),
    "huge rows": (BENIGN.sign() * 1e38, OWN.sign() * 1e38),
    "the largest numbers": (
        BENIGN.sign() * torch.finfo(torch.float32).max,
        OWN.sign() * torch.finfo(torch.float32).max,
    ),
    "tiny rows": (BENIGN * 1e-38, OWN * 1e-38),
    "nothing finite": (torch.full_like(BENIGN, nan), torch.full_like(OWN, inf)),
}
"""The benign updates and the attacker's own in rounds where it must still return valid updates."""


def attacker_view(benign: Matrix = BENIGN, own: Matrix = OWN, *, seed: int = 0, **changes: Any) -> OmniscientView:
    """Return an omniscient view of a round with these updates; `changes` are fields of the view.

    The updates are copied, so that an attack that modifies its view cannot affect other rounds.
    """
    benign, own = benign.clone(), own.clone()
    parameters, root = updates(2, "server", parameters=own.shape[1])
    previous = parameters + updates(1, "before", parameters=own.shape[1])[0]
    usual = OmniscientView(
        round=0,
        parameters=parameters,
        previous=previous,
        clients=tuple(range(3, 3 + len(own))),
        sampled=len(benign) + len(own),
        network=logistic(),
        shards=RandomShards(),
        recipe=Recipe(steps=1, batch=8, lr=0.1),
        own=lambda project=None: own if project is None else torch.stack([project(row.clone()) for row in own]),
        rng=stream(seed, "attack"),
        note=unnoted,
        rule=Rule(),
        assumed_malicious=2,
        benign=benign,
        benign_clients=tuple(range(20, 20 + len(benign))),
        memory={},
        root=lambda: root,
        allied=benign[:0],
        allied_clients=(),
    )
    return replace(usual, **changes)


def narrowed(full: OmniscientView, kind: type[BlackBoxView]) -> BlackBoxView:
    """Return a view reduced to the fields of `kind`."""
    return kind(**{field.name: getattr(full, field.name) for field in fields(kind)})
