"""The updates that benign clients and, on root data, the server compute in a round."""

from collections.abc import Mapping, Sequence

import torch

from sparring.arrays import Batch, Matrix, Vector, pixels
from sparring.contracts import Recipe
from sparring.errors import ConfigError
from sparring.federation.scenario import Federation
from sparring.federation.state import FederationState
from sparring.random import stream
from sparring.training import local_update


def draw_batches(federation: Federation, clients: Sequence[int], *, round: int, recipe: Recipe | None = None) -> Batch:
    """Draw the minibatches of `clients` in `round`, for the given recipe or the federation's.

    Inputs are `[clients, steps, examples, ...]`.
    """
    recipe = federation.recipe if recipe is None else recipe
    rngs = [stream(federation.seed, "client", client, round) for client in clients]
    return federation.shards.draw(clients, rngs, steps=recipe.steps, size=recipe.batch)


def train_benign(
    federation: Federation, state: FederationState, *, clients: Sequence[int], out: Matrix
) -> Mapping[int, Vector]:
    """Write the benign clients' submitted updates to `out`, one row each, and return all clients' momenta."""
    if not clients:
        return state.momenta
    batches = draw_batches(federation, clients, round=state.round)
    federation.backend.updates(federation.network, state.parameters, batches=batches, lr=federation.recipe.lr, out=out)
    if federation.momentum == 0:
        return state.momenta
    for client, row in zip(clients, out, strict=True):
        before = state.momenta.get(client, row.new_zeros(()))
        row.mul_(1 - federation.momentum).add_(before, alpha=federation.momentum)
    return {**state.momenta, **{client: row.clone() for client, row in zip(clients, out, strict=True)}}


def root_update(federation: Federation, state: FederationState) -> Vector:
    """Return the server's own update: the federation's recipe applied to its root data."""
    root = federation.root
    if root is None:
        raise ConfigError("the server has no root data; use data.root_size >= 1")
    rng, recipe, examples = stream(federation.seed, "root", state.round), federation.recipe, len(root.labels)
    draws = [rng.choice(examples, recipe.batch, replace=recipe.batch > examples) for _ in range(recipe.steps)]
    chosen = torch.stack([torch.from_numpy(draw) for draw in draws]).to(root.labels.device)
    batches = Batch(pixels(root.inputs[chosen]), root.labels[chosen])
    out = state.parameters.new_empty(federation.network.size)
    return local_update(federation.network, state.parameters, batches=batches, lr=recipe.lr, out=out)
