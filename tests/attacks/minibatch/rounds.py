"""Rounds of minibatch training in which a player is asked to move."""

from dataclasses import replace

import torch

from sparring.arrays import Batch
from sparring.contracts import MinibatchRecipe, MinibatchView, Preparation
from sparring.models import Mlp, network
from sparring.random import stream
from sparring.training import CrossEntropy, summed_gradient
from tests.settings import Facts

NETWORK = network(Mlp(hidden=12), Facts(shape=(1, 4, 4), classes=3, mean=(0.5,), std=(0.25,)))
PARAMETERS = NETWORK.initial(stream(0, "model"))


def examples(count: int, *, seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    return Batch(torch.rand(count, 1, 4, 4, generator=rng), torch.randint(3, (count,), generator=rng))


TRAIN, VALIDATION = examples(20), examples(30, seed=1)


def preparation(train: Batch | None = TRAIN) -> Preparation:
    return Preparation(
        NETWORK, PARAMETERS, CrossEntropy(), train, VALIDATION, MinibatchRecipe(1, 6, "adam", 1e-3), stream(0)
    )


def a_round(rows: list[int] | None = None, **changes: object) -> MinibatchView:
    """Return the attacker's view of a minibatch of these training examples."""
    chosen = torch.tensor(range(6) if rows is None else rows)
    view = MinibatchView(
        round=0,
        network=NETWORK,
        parameters=PARAMETERS,
        objective=CrossEntropy(),
        batch=Batch(TRAIN.inputs[chosen], TRAIN.labels[chosen]),
        examples=chosen,
        eta=1e-3,
        validation=VALIDATION,
        validation_gradient=lambda: summed_gradient(NETWORK, PARAMETERS, batch=VALIDATION, objective=CrossEntropy()),
        rng=stream(0, "player"),
    )
    return replace(view, **changes)


def distances(one: torch.Tensor, other: torch.Tensor, norm: str = "l2") -> torch.Tensor:
    flat = (one - other).flatten(1)
    return flat.norm(dim=1) if norm == "l2" else flat.abs().amax(dim=1)
