"""Every backend equals the sequential one, which is the specification."""

import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.models import Cnn, Cnn7, LeNet, Logistic, Mlp, network
from sparring.random import stream
from sparring.training import BACKENDS, Auto, Batched, Sequential, Threaded
from sparring.training.backends.auto import fastest
from sparring.training.backends.shared import shares
from sparring.training.backends.threaded import torch_threads
from tests.settings import Facts

EXAMPLES = {"auto": Auto(), "batched": Batched(), "sequential": Sequential(), "threaded": Threaded()}
COLOR = Facts((3, 32, 32), 10, (0.5,) * 3, (0.2,) * 3)


class Residual(nn.Module):
    """A model that is no chain."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = nn.Linear(784, 784), nn.Linear(784, 10)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        flat = inputs.flatten(1)
        return self.last(flat + torch.tanh(self.inner(flat)))


MODELS = {
    "logistic": network(Logistic(), Facts()),
    "mlp": network(Mlp(hidden=9), Facts()),
    "lenet": network(LeNet(), Facts()),
    "cnn": network(Cnn(width=3, activation="elu"), Facts()),
    "cnn7": network(Cnn7(), COLOR),
    "without bias": network(
        nn.Sequential(nn.Conv2d(1, 2, 5, bias=False), nn.Flatten(), nn.Linear(1152, 10, bias=False)), Facts()
    ),
    "no chain": network(Residual(), Facts()),
}


def test_every_backend_has_an_example():
    assert EXAMPLES.keys() == BACKENDS.keys()


def updates(backend, fitted, *, steps=1, clients=3, examples=4):
    rng = torch.Generator().manual_seed(0)
    shape = COLOR.shape if fitted is MODELS["cnn7"] else (1, 28, 28)
    batches = Batch(
        torch.rand(clients, steps, examples, *shape, generator=rng),
        torch.randint(10, (clients, steps, examples), generator=rng),
    )
    out = torch.full((clients, fitted.size), torch.nan)
    parameters = fitted.initial(stream(0, "model"))
    assert backend.updates(fitted, parameters, batches=batches, lr=0.02, out=out) is out
    assert parameters.equal(fitted.initial(stream(0, "model")))
    return out


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("backend", EXAMPLES.values(), ids=repr)
def test_backends_agree_to_rounding(backend, model, steps):
    expected = updates(Sequential(), MODELS[model], steps=steps)
    found = updates(backend, MODELS[model], steps=steps)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("threads", [1, 2])
def test_one_client_a_thread_gives_the_bytes_of_one_after_the_other(threads):
    expected = updates(Sequential(), MODELS["lenet"], steps=2, clients=5)
    with torch_threads(threads):
        assert updates(Threaded(), MODELS["lenet"], steps=2, clients=5).equal(expected)
        assert torch.get_num_threads() == threads


def test_only_chains_of_known_layers_share_a_backward():
    assert {name for name, fitted in MODELS.items() if not shares(fitted)} == {"no chain"}


def test_clients_do_not_depend_on_each_other():
    many, few = (updates(Batched(), MODELS["mlp"], clients=clients) for clients in (3, 3))
    assert many.equal(few)
    assert not many[0].equal(many[1])


@pytest.mark.parametrize(
    ("model", "threads", "steps", "examples", "backend"),
    [
        ("mlp", 2, 3, 128, Batched()),
        ("lenet", 2, 1, 8, Batched()),
        ("lenet", 2, 3, 8, Sequential()),
        ("lenet", 2, 1, 128, Sequential()),
        ("cnn7", 2, 1, 32, Threaded()),
        ("cnn7", 1, 1, 32, Sequential()),
        ("no chain", 2, 1, 32, Threaded()),
    ],
)
def test_the_backend_follows_the_model_the_minibatch_and_the_threads(model, threads, steps, examples, backend):
    with torch_threads(threads):
        assert fastest(MODELS[model], steps=steps, examples=examples) == backend


@pytest.mark.parametrize(
    ("model", "threads", "steps", "backend"),
    [
        ("lenet", 2, 1, Batched()),
        ("lenet", 2, 3, Sequential()),
        ("cnn7", 2, 1, Threaded()),
        ("no chain", 1, 1, Sequential()),
    ],
)
def test_convolutions_are_pooled_on_request(model, threads, steps, backend):
    with torch_threads(threads):
        assert fastest(MODELS[model], steps=steps, examples=32, pooled=True) == backend


@pytest.mark.parametrize("model", ["lenet", "cnn", "without bias"])
def test_large_minibatches_are_trained_as_by_the_sequential_backend(model):
    expected, found = (updates(each, MODELS[model], examples=24) for each in (Sequential(), Auto(pooled=True)))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * expected.abs().max().item())
    assert not found.equal(expected)


def test_a_few_clients_with_several_steps_train_one_by_one_on_request():
    one, many = (
        [updates(each, MODELS["mlp"], clients=clients, steps=3) for each in (Sequential(), Auto(pooled=True))]
        for clients in (2, 8)
    )
    assert one[1].equal(one[0])
    torch.testing.assert_close(many[1], many[0])
