"""A client's round, projected or not."""

import torch

from sparring.arrays import Batch
from sparring.random import stream
from sparring.training import gradient, local_update
from tests.settings import clouds, small_federation

FEDERATION = small_federation()
NETWORK = FEDERATION.network
START = NETWORK.initial(stream(0, "model"))
BATCHES = Batch(*(part[:15].unflatten(0, (3, 5)) for part in clouds().train))


def update(project=None, *, batches=BATCHES):
    return local_update(NETWORK, START, batches=batches, lr=0.5, out=torch.empty(NETWORK.size), project=project)


def test_every_step_starts_where_the_projection_of_the_one_before_ended():
    expected = torch.zeros(NETWORK.size)
    for batch in map(Batch, *BATCHES):
        expected = (expected + 0.5 * gradient(NETWORK, START - expected, batch=batch)) / 2
    torch.testing.assert_close(update(lambda given: given / 2), expected)


def test_a_projection_on_everything_changes_nothing():
    assert torch.equal(update(lambda given: given), update())


def test_a_masked_coordinate_stays_where_it_is():
    mask = torch.arange(NETWORK.size) % 2
    masked = update(lambda given: given * mask)
    assert not masked[mask == 0].any()
    assert masked[mask == 1].all()
