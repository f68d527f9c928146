"""Benign clients of several worlds that draw the same and differ in their models alone: they train in one call."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sparring.arrays import Batch, Matrix, Vector
from sparring.federation.benign_updates import draw_batches
from sparring.federation.scenario import Federation
from sparring.federation.state import FederationState
from sparring.training import Auto
from sparring.training.backends.stacked import stacked_updates, stacks


class Train(Protocol):
    """Writes the benign clients' updates to `out`, and returns all clients' momenta."""

    def __call__(
        self, federation: Federation, state: FederationState, *, clients: Sequence[int], out: Matrix
    ) -> Mapping[int, Vector]: ...


def are_alike(
    federations: Sequence[Federation], states: Sequence[FederationState], *, clients: Sequence[tuple[int, ...]]
) -> bool:
    """Say whether several worlds, of the pooled backend, train the same clients on the same examples in one step."""
    first = federations[0]
    if len(federations) < 2 or first.backend != Auto(pooled=True) or first.momentum > 0 or not clients[0]:
        return False
    parts = [(each.network, each.shards) for each in federations]
    are_same = all(own is other for each in parts[1:] for own, other in zip(each, parts[0], strict=True))
    draws = {(each.seed, state.round) for each, state in zip(federations, states, strict=True)}
    settings = {(each.recipe, each.backend, each.momentum) for each in federations}
    are_one = len(draws) == len(settings) == len(set(clients)) == 1
    return are_same and are_one and first.recipe.steps == 1 and stacks(first.network)


def train_alike(federation: Federation, states: Sequence[FederationState], *, clients: tuple[int, ...]) -> list[Matrix]:
    """Return each world's matrix of a round's updates, of which those of the benign clients, the first, are filled."""
    batch = Batch(*(part[:, 0] for part in draw_batches(federation, clients, round=states[0].round)))
    models = [state.parameters for state in states]
    matrices = [model.new_empty(federation.sampled, len(model)) for model in models]
    outs = [matrix[: len(clients)] for matrix in matrices]
    stacked_updates(federation.network, models, batch=batch, lr=federation.recipe.lr, outs=outs)
    return matrices


def keep_trained(
    federation: Federation, state: FederationState, *, clients: Sequence[int], out: Matrix
) -> Mapping[int, Vector]:
    """Leave the updates as `train_alike` wrote them."""
    return state.momenta
