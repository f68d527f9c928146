"""A client's local training in one round: a few steps of stochastic gradient descent."""

from collections.abc import Callable

from sparring.arrays import Batch, Vector
from sparring.contracts import Network
from sparring.training.gradients import gradient


def local_update(
    network: Network,
    parameters: Vector,
    *,
    batches: Batch,
    lr: float,
    out: Vector,
    project: Callable[[Vector], Vector] | None = None,
) -> Vector:
    """Write the update `parameters - trained` to `out`; `batches` holds a minibatch per step, `[steps, examples, ...]`.

    The sum of the steps is stored, not the trained model, so that one step gives exactly lr · gradient. `project` is
    applied to the sum after each step.
    """
    for step, batch in enumerate(map(Batch, batches.inputs, batches.labels)):
        if step == 0:
            gradient(network, parameters, batch=batch, out=out).mul_(lr)
        else:
            out.add_(gradient(network, parameters - out, batch=batch), alpha=lr)
        if project is not None:
            out.copy_(project(out))
    return out
