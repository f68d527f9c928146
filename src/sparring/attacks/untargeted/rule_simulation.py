"""Simulation of the server's rule: an attacker that knows the rule and the updates evaluates it in advance."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.arrays import Vector, finite_rows
from sparring.contracts import DefenderView, OmniscientView, is_oracle
from sparring.random import stream


def simulate_rule(view: OmniscientView) -> Callable[[Vector], Vector]:
    """Return a function from the one finite update that all of `view.clients` submit to the rule's aggregate.

    Other attackers' rows are omitted, except for allied ones. A randomized rule draws the same numbers in each call,
    but not those that the server will draw. A returned aggregate may be overwritten by the next call.
    """
    benign, allied = (finite_rows(rows).nonzero().flatten() for rows in (view.benign, view.allied))
    known = len(benign) + len(allied)
    updates = view.parameters.new_empty(known + len(view.clients), len(view.parameters))
    torch.index_select(view.benign, 0, benign, out=updates[: len(benign)])
    torch.index_select(view.allied, 0, allied, out=updates[len(benign) : known])
    clients = _those(view.benign_clients, benign) + _those(view.allied_clients, allied) + view.clients
    malicious = max(0, view.assumed_malicious - (len(view.benign) + len(view.allied) - known))
    if is_oracle(view.rule):
        malicious = len(allied) + len(view.clients)
    seed = int(view.rng.integers(2**63))

    def answer(submitted: Vector) -> Vector:
        updates[known:] = submitted
        rng = stream(seed, "rehearsal")
        seen = DefenderView(
            view.round, view.parameters, updates, clients, malicious, root=view.root, rng=rng, network=view.network
        )
        step, _ = view.rule.aggregate(seen, view.memory)
        return step

    return answer


def _those(clients: Sequence[int], rows: Tensor) -> tuple[int, ...]:
    return tuple(clients[row] for row in rows.tolist())
