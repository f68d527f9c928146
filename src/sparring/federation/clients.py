"""What the clients of a round compute: honest updates, the attackers' own, and the server's on its root data."""

from collections.abc import Mapping, Sequence

import torch

from sparring.arrays import Batch, Matrix, Vector, pixels
from sparring.contracts import Poison
from sparring.errors import ConfigError
from sparring.federation.conduct import check_batch, playing
from sparring.federation.scenario import Federation
from sparring.federation.state import FederationState
from sparring.random import stream
from sparring.training import local_update


def draw_batches(federation: Federation, clients: Sequence[int], *, round: int) -> Batch:
    """Draw the minibatches of `clients` in `round`: inputs `[clients, steps, examples, ...]`."""
    rngs = [stream(federation.seed, "client", client, round) for client in clients]
    return federation.shards.draw(clients, rngs, steps=federation.recipe.steps, size=federation.recipe.batch)


def train_honest(
    federation: Federation, state: FederationState, *, clients: Sequence[int], out: Matrix
) -> Mapping[int, Vector]:
    """Write what the honest clients send into `out`, one row each, and return all clients' momenta after it."""
    if not clients:
        return state.momenta
    batches = draw_batches(federation, clients, round=state.round)
    federation.backend.updates(federation.network, state.parameters, batches=batches, lr=federation.recipe.lr, out=out)
    if federation.momentum == 0:
        return state.momenta
    for client, row in zip(clients, out, strict=True):
        before = state.momenta.get(client, torch.zeros(()))
        row.mul_(1 - federation.momentum).add_(before, alpha=federation.momentum)
    return {**state.momenta, **{client: row.clone() for client, row in zip(clients, out, strict=True)}}


def train_malicious(
    federation: Federation, state: FederationState, *, clients: Sequence[int], poison: Poison | None
) -> Matrix:
    """Return the updates that malicious clients get by the federation's recipe, on poisoned data if any."""
    batches = draw_batches(federation, clients, round=state.round)
    if poison is None:
        return _trained(federation, state, batches=batches)
    with playing("poison", poison) as watch:
        for name, tensor in batches._asdict().items():
            watch.show(name, tensor)
        # Training on labels that the model does not know raises, and the poison is to blame.
        return _trained(
            federation, state, batches=_poisoned(federation, batches, clients=clients, poison=poison, round=state.round)
        )


def _trained(federation: Federation, state: FederationState, *, batches: Batch) -> Matrix:
    """Return each client's update, in a row of its own."""
    out = torch.empty(len(batches.labels), federation.network.size)
    network, lr = federation.network, federation.recipe.lr
    return federation.backend.updates(network, state.parameters, batches=batches, lr=lr, out=out)


def _poisoned(federation: Federation, batches: Batch, *, clients: Sequence[int], poison: Poison, round: int) -> Batch:
    steps = batches.labels.shape[1:]
    poisoned = []
    for client, inputs, labels in zip(clients, *batches, strict=True):
        batch = Batch(inputs.flatten(0, 1), labels.flatten())
        made = poison.poison(batch, stream(federation.seed, "poison", client, round))
        poisoned.append(check_batch(poison, made, batch=batch))
    inputs, labels = (torch.stack(parts) for parts in zip(*poisoned, strict=True))
    return Batch(inputs.unflatten(1, steps), labels.unflatten(1, steps))


def root_update(federation: Federation, state: FederationState) -> Vector:
    """Return the server's own update: the clients' recipe on its root data."""
    root = federation.root
    if root is None:
        raise ConfigError("the server has no root data; use data.root_size >= 1")
    rng, recipe, examples = stream(federation.seed, "root", state.round), federation.recipe, len(root.labels)
    draws = [rng.choice(examples, recipe.batch, replace=recipe.batch > examples) for _ in range(recipe.steps)]
    chosen = torch.stack([torch.from_numpy(draw) for draw in draws])
    batches = Batch(pixels(root.inputs[chosen]), root.labels[chosen])
    out = torch.empty(federation.network.size)
    return local_update(federation.network, state.parameters, batches, lr=recipe.lr, out=out)
