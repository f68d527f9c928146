"""A small federation whose mixture is known, and clients that watch it."""

from collections.abc import Sequence

import torch

from sparring.arrays import Batch
from sparring.contracts import Recipe
from sparring.data import ClientShards, Iid, divide
from sparring.defenses import Mean
from sparring.federation import Attacker, Federation, FederationState, Scenario, simulate_rounds
from sparring.inversion import GradientInversion
from sparring.learning.distribution import (
    DistributionLearning,
    EstimatedGradient,
    estimated_gradients,
    observed_models,
    step_size,
)
from sparring.random import stream
from tests.inversion.pictures import bars, model

LABELS = [0] * 60 + [1] * 30 + [2] * 10
QUICK = DistributionLearning(search=GradientInversion(images=8, iterations=5), batches=3)


def examples() -> Batch:
    """Return noisy bars, most of them of class 0 and none of class 3."""
    clean = bars(sorted(set(LABELS)))
    noise = torch.from_numpy(stream(0, "pixels").random((len(LABELS), 1, 6, 6))).float()
    labels = torch.tensor(LABELS)
    return Batch((clean.inputs[labels] + 0.2 * noise).clamp(max=1), labels)


def scenario(malicious: int = 3, start: int = 0) -> Scenario:
    """Return ten clients of which two are sampled."""
    shards: ClientShards = divide(examples(), Iid(), clients=10, seed=0)
    network = model().network
    federation = Federation(network=network, shards=shards, test=examples(), sampled=2, recipe=Recipe(batch=10, lr=0.1))
    return Scenario(federation, Mean(), [Attacker(malicious, start=start)])


def states(watched: Scenario, rounds: int) -> list[FederationState]:
    return [state for state, _ in simulate_rounds(watched, rounds, every=rounds)]


def leaked(watched: Scenario, rounds: int) -> Sequence[EstimatedGradient]:
    """Return the gradients that the malicious clients can read out of as many rounds."""
    seen = observed_models(watched, states(watched, rounds))
    return list(estimated_gradients(seen, lr=step_size(watched.federation)))


def held(watched: Scenario) -> Batch:
    """Return the examples of the malicious clients."""
    (party,) = watched.parties
    shards = [party.shards[client] for client in party.clients]
    return Batch(*(torch.cat(parts) for parts in zip(*shards, strict=True)))
