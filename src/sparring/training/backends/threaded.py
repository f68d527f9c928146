"""One client a thread: the fast way for models whose single steps already fill a core, such as wide convolutions."""

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
    """Let each operation use `count` threads for a while; yield how many it used before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Threaded:
    """Train as many clients at a time as torch has threads, each on one thread.

    Splitting a step over threads leaves them waiting for each other, and memory is mapped by one of them alone.
    """

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        def train(first: int) -> None:
            # A copy for each thread: a module holds the parameters that it is called with.
            mine = copy.deepcopy(network)
            for client in range(first, len(out), threads):
                own = Batch(batches.inputs[client], batches.labels[client])
                local_update(mine, parameters, batches=own, lr=lr, out=out[client])

        with torch_threads(1) as threads, ThreadPoolExecutor(threads) as pool:
            list(pool.map(train, range(threads)))
        return out
