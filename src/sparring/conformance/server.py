"""Views for the checks of rules: ordinary and hostile small rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows
from sparring.contracts import DefenderView
from sparring.random import Generator, stream

CLIENTS = 9
BENIGN: Matrix = torch.from_numpy(stream(0, "matrix", 4 * CLIENTS).standard_normal((CLIENTS, 4), dtype=np.float32))


def with_row(*values: float) -> Matrix:
    """Return the benign updates with one more row that repeats these values."""
    return torch.cat([BENIGN, torch.tensor(values).repeat(4)[None, :4]])


HOSTILE: Mapping[str, Matrix] = {
    "a row of 1e8": with_row(1e8),
    "a row of 1e20": with_row(1e20, -1e20),
    "a row of 1e38": with_row(1e38),
    "the largest numbers": BENIGN.sign() * torch.finfo(torch.float32).max,
    "huge rows that cancel": torch.cat([1e38 * BENIGN[:4].sign(), -1e38 * BENIGN[:4].sign(), BENIGN]),
    "only huge rows": 1e37 * BENIGN,
    "tiny rows": 1e-38 * BENIGN,
    "a zero row": with_row(0.0),
    "only zeros": torch.zeros(CLIENTS, 4),
    "one update from all": BENIGN[:1].expand(CLIENTS, -1),
    "two groups of duplicates": BENIGN[:2].repeat(4, 1),
    "one client": BENIGN[:1],
    "two clients": BENIGN[:2],
    "one parameter": BENIGN[:, :1],
}
"""Rounds in which a rule must return a finite step; the server drops non-finite rows before aggregation."""


@dataclass(frozen=True)
class FlatNetwork:
    """A network of any size: the one logit of a class is the sum of the inputs, scaled by all of the parameters."""

    size: int

    @property
    def layers(self) -> Mapping[str, slice]:
        return {"all": slice(0, self.size)}

    def initial(self, rng: Generator) -> Vector:
        return torch.from_numpy(rng.normal(size=self.size)).float()

    def split(self, parameters: Vector) -> tuple[Tensor, ...]:
        return (parameters,)

    def to(self, device: torch.device | str) -> "FlatNetwork":
        return self

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        return {"all": parameters}

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        return inputs.flatten(1).sum(dim=1, keepdim=True) * tensors[0].sum()


def defender_view(updates: Matrix, **seen: Any) -> DefenderView:
    """Return a view of `updates`; the root update is by default the mean of the finite rows."""
    usual = DefenderView(
        round=0,
        parameters=torch.zeros(updates.shape[1]),
        updates=updates,
        clients=tuple(range(len(updates))),
        malicious=0,
        root=lambda: center(updates),
        rng=stream(0, "defense", seen.get("round", 0)),
        network=FlatNetwork(updates.shape[1]),
    )
    return usual._replace(**seen)


def center(updates: Matrix) -> Vector:
    """Return the mean of the finite rows; zeros if there are none."""
    finite = updates[finite_rows(updates)].double()
    return (finite.sum(dim=0) / max(1, len(finite))).to(updates.dtype)
