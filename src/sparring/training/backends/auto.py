"""The backend that benchmarks found to be the fastest for each kind of model."""

from dataclasses import dataclass, field

import torch

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import Backend, Network
from sparring.registry import ADDED_LATER
from sparring.training.backends.batched import Batched
from sparring.training.backends.sequential import Sequential
from sparring.training.backends.shared import is_linear, shares
from sparring.training.backends.threaded import Threaded

FEW_EXAMPLES = 16
"""Up to this minibatch size, a convolutional model's layers are too small to use a core fully client by client."""
FEW_CLIENTS = 5
"""Up to this number of clients, several steps of small linear models are faster one by one than in one call."""
LONG_STEP = 10**7
"""From this number of parameters times examples on, the overhead of a thread per client is negligible."""


@dataclass(frozen=True)
class Auto:
    """Batch all clients if layers are linear or minibatches small; use one thread per client if steps are long."""

    pooled: bool = field(default=False, metadata=ADDED_LATER)
    """Whether convolutional models with larger minibatches too train their first step on all clients' examples at once,
    and a few clients with several steps train one by one: up to 5 times as fast, with other rounding."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        clients, steps, examples = batches.labels.shape
        if self.pooled and steps > 1 and clients <= FEW_CLIENTS:
            return Sequential().updates(network, parameters, batches=batches, lr=lr, out=out)
        backend = fastest(network, steps=steps, examples=examples, pooled=self.pooled)
        return backend.updates(network, parameters, batches=batches, lr=lr, out=out)


def fastest(network: Network, *, steps: int, examples: int, pooled: bool = False) -> Backend:
    """Return the backend that benchmarks found to be the fastest for this network and these minibatches."""
    fills_a_core = network.size * examples >= LONG_STEP
    is_short = examples <= FEW_EXAMPLES or (pooled and not fills_a_core)
    if shares(network) and (is_linear(network) or (steps == 1 and is_short)):
        return Batched()
    return Threaded() if fills_a_core and torch.get_num_threads() > 1 else Sequential()
