"""One client per thread: fast for models whose single steps already use a core fully, such as wide convolutions."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import Network
from sparring.training.local import local_update


@contextmanager
def torch_threads(count: int) -> Iterator[int]:
    """Temporarily set torch's thread count to `count`; yield the previous count."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Threaded:
    """Train as many clients at a time as torch has threads, each on one thread.

    Splitting one step over threads would make them wait for each other, and for memory that only one thread maps.
    """

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        def train(first: int) -> None:
            # Each thread gets a copy, since a call stores its parameters in the module.
            mine = copy.deepcopy(network)
            for client in range(first, len(out), threads):
                own = Batch(batches.inputs[client], batches.labels[client])
                local_update(mine, parameters, batches=own, lr=lr, out=out[client])

        with torch_threads(1) as threads, ThreadPoolExecutor(threads) as pool:
            list(pool.map(train, range(threads)))
        return out
