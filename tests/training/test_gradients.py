"""Loss, gradient and local steps against autograd on the whole vector."""

import pytest
import torch

from sparring.arrays import Batch
from sparring.models import Mlp, network
from sparring.random import stream
from sparring.training import gradient, local_update, loss
from tests.settings import Facts

NETWORK = network(Mlp(hidden=6), Facts(shape=(5,), classes=3))
PARAMETERS = NETWORK.initial(stream(0, "model"))


def minibatches(steps: int) -> Batch:
    rng = torch.Generator().manual_seed(1)
    return Batch(torch.rand(steps, 7, 5, generator=rng), torch.randint(3, (steps, 7), generator=rng))


def reference(parameters: torch.Tensor, batch: Batch) -> torch.Tensor:
    leaf = parameters.clone().requires_grad_()
    loss(NETWORK, leaf, batch=batch).backward()
    return leaf.grad


def test_gradient_is_that_of_the_loss():
    batch = Batch(*(part[0] for part in minibatches(1)))
    torch.testing.assert_close(gradient(NETWORK, PARAMETERS, batch=batch), reference(PARAMETERS, batch))


def test_gradient_writes_into_out():
    batch, out = Batch(*(part[0] for part in minibatches(1))), torch.empty(NETWORK.size)
    assert gradient(NETWORK, PARAMETERS, batch=batch, out=out) is out
    assert out.equal(gradient(NETWORK, PARAMETERS, batch=batch))


def test_one_local_step_is_exactly_lr_times_the_gradient():
    batches = minibatches(1)
    update = local_update(NETWORK, PARAMETERS, batches=batches, lr=0.5, out=torch.empty(NETWORK.size))
    assert update.equal(0.5 * gradient(NETWORK, PARAMETERS, batch=Batch(batches.inputs[0], batches.labels[0])))


def test_local_steps_walk_down_from_the_global_model():
    batches, walked = minibatches(3), PARAMETERS.clone()
    for inputs, labels in zip(*batches, strict=True):
        walked -= 0.5 * reference(walked, Batch(inputs, labels))
    update = local_update(NETWORK, PARAMETERS, batches=batches, lr=0.5, out=torch.empty(NETWORK.size))
    torch.testing.assert_close(PARAMETERS - update, walked)


@pytest.mark.parametrize("steps", [1, 3])
def test_training_leaves_the_global_model_alone(steps):
    before = PARAMETERS.clone()
    local_update(NETWORK, PARAMETERS, batches=minibatches(steps), lr=0.5, out=torch.empty(NETWORK.size))
    assert PARAMETERS.equal(before)
