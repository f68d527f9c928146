"""One client after another: the reference that every other backend must equal."""

from dataclasses import dataclass

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import Network
from sparring.training.local import local_update


@dataclass(frozen=True)
class Sequential:
    """Train the clients one after another, each with all threads."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        for row, inputs, labels in zip(out, *batches, strict=True):
            local_update(network, parameters, batches=Batch(inputs, labels), lr=lr, out=row)
        return out
