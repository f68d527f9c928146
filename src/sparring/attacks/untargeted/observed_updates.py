"""The updates that an attacker works from: those a server would accept, and statistics of them."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, column_blocks, finite_rows
from sparring.contracts import BlackBoxView, OmniscientView, WhiteBoxView, own_malicious
from sparring.errors import ConfigError
from sparring.validation import check_matrix

Knowledge = Literal["full", "partial"]
"""Whether an attacker sees this round's benign updates, or uses its clients' own in place of them."""


def check_knowledge(attack: str, knowledge: str) -> None:
    """Reject an unknown kind of knowledge."""
    if knowledge not in ("full", "partial"):
        raise ConfigError(f"{attack}.knowledge is {knowledge!r}; it must be full or partial")


def benign_updates(view: OmniscientView) -> Matrix:
    """Return the benign updates without the non-finite rows, which the server drops."""
    finite = finite_rows(view.benign)
    return view.benign if finite.all() else view.benign[finite]


def own_updates(view: BlackBoxView, project: Callable[[Vector], Vector] | None = None) -> Matrix:
    """Return a copy of the malicious clients' own updates, with zeros for a client whose training diverged."""
    own = view.own(project)
    return torch.where(finite_rows(own)[:, None], own, 0.0)


def view_for(knowledge: Knowledge) -> type[BlackBoxView]:
    """Return the least informative view that shows the updates used as benign."""
    return OmniscientView if knowledge == "full" else BlackBoxView


def known_updates(view: BlackBoxView, knowledge: Knowledge) -> Matrix:
    """Return the updates used as benign: the true benign ones, or the malicious clients' own."""
    if knowledge == "partial":
        return own_updates(view)
    assert isinstance(view, OmniscientView)
    return benign_updates(view)


def craft_or_submit_own(view: BlackBoxView, knowledge: Knowledge, *, made: Callable[[Matrix], Vector]) -> Matrix:
    """Return `made(benign)` once for each client, or the clients' own updates if there are no benign ones."""
    benign = known_updates(view, knowledge)
    return made(benign).expand(len(view.clients), -1) if len(benign) > 0 else own_updates(view)


def assumed_count(view: WhiteBoxView) -> int:
    """Return how many malicious updates the rule assumes: its own count if it has one, else the server's."""
    own = own_malicious(view.rule)
    return own if isinstance(own, int) else view.assumed_malicious


def mean_update(updates: Matrix) -> Vector:
    """Average the rows; they are weighted before summation, so that huge rows cannot overflow."""
    updates = check_matrix("mean_update", updates)
    return updates.new_full((len(updates),), 1 / len(updates)) @ updates


def moments(updates: Matrix) -> tuple[Tensor, Tensor]:
    """Return the float64 mean and population standard deviation (over n, not n - 1) of each coordinate."""
    updates = check_matrix("moments", updates)
    mean, deviation = updates.new_empty(2, updates.shape[1], dtype=torch.float64)
    for columns in column_blocks(updates):
        block = updates[:, columns].double()
        torch.mean(block, dim=0, out=mean[columns])
        deviation[columns] = (block - mean[columns]).square_().mean(dim=0).sqrt_()
    return mean, deviation


def directions(updates: Matrix) -> Vector:
    """Return the sign of the mean on each coordinate; +1 where the mean is zero."""
    return torch.where(mean_update(updates) < 0, -1.0, 1.0)


def products(updates: Matrix, vectors: Matrix) -> Matrix:
    """Return the `[clients, vectors]` inner products, summed in float64 block by block."""
    updates, vectors = check_matrix("products", updates), check_matrix("products", vectors, name="vectors")
    total = updates.new_zeros(len(updates), len(vectors), dtype=torch.float64)
    for columns in column_blocks(updates):
        total += updates[:, columns].double() @ vectors[:, columns].double().T
    return total
