"""Whatever the model is, every backend trains it as the sequential one does."""

from types import MethodType

import pytest
import torch
from torch import Tensor, nn

from sparring.models import network
from sparring.training import BACKENDS, Batched, Sequential
from sparring.training.backends.shared import shares
from tests.training.backends.modules import (
    CLASSES,
    Choosing,
    Doubled,
    Forgetful,
    Remembering,
    Residual,
    Scaled,
    Squared,
    facts,
    relative_error,
    updates,
)

IMAGE, VECTOR = (1, 8, 8), (8,)


def dense(*between: nn.Module) -> nn.Sequential:
    """Return two linear layers of a vector with these layers between them."""
    return nn.Sequential(nn.Linear(8, 4), *between, nn.Linear(4, CLASSES))


def one_object_twice() -> nn.Module:
    relu = nn.ReLU()
    return nn.Sequential(nn.Linear(8, 4), relu, nn.Linear(4, 4), relu, nn.Linear(4, CLASSES))


def one_pooling_twice() -> nn.Module:
    pool = nn.MaxPool2d(2)
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), pool, nn.Conv2d(2, 2, 1), pool, *flat(8))


def flat(features: int) -> tuple[nn.Module, nn.Module]:
    return nn.Flatten(), nn.Linear(features, CLASSES)


def convolution(**settings: object) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3, **settings), nn.ReLU(), *flat(128))


def hooked(*names: str) -> nn.Module:
    module = dense(nn.ReLU())
    for name in names:
        module.get_submodule(name).register_forward_hook(lambda layer, inputs, output: 3 * output)
    return module


def hooked_before() -> nn.Module:
    module = dense(nn.ReLU())
    module[2].register_forward_pre_hook(lambda layer, inputs: (inputs[0] + 1,))
    return module


def hooked_behind() -> nn.Module:
    module = dense(nn.ReLU())
    module[2].register_full_backward_hook(lambda layer, slopes, _: (3 * slopes[0],))
    return module


def patched() -> nn.Module:
    module = dense(nn.ReLU())
    module.forward = MethodType(Doubled.forward, module)
    return module


def patched_layer() -> nn.Module:
    module = dense(nn.ReLU())
    module[1].forward = lambda inputs: 2 * inputs
    return module


def parametrized() -> nn.Module:
    module = dense(nn.ReLU())
    nn.utils.parametrizations.weight_norm(module[0])
    return module


def with_more_parameters(layer: str) -> nn.Module:
    module = dense(nn.ReLU())
    module.get_submodule(layer).register_parameter("spare", nn.Parameter(torch.ones(3)))
    return module


def narrow_bias() -> nn.Module:
    module = dense(nn.ReLU())
    module[0].bias = nn.Parameter(torch.ones(1))
    return module


def half_frozen() -> nn.Module:
    module = dense(nn.ReLU())
    module[0].bias.requires_grad_(False)
    return module


def frozen(module: nn.Module, *layers: int) -> nn.Module:
    for layer in layers:
        module[layer].requires_grad_(False)
    return module


CASES = {
    "an activation that is there twice": (VECTOR, one_object_twice),
    "an activation in place, first": (VECTOR, lambda: nn.Sequential(nn.ReLU(inplace=True), *dense())),
    "an activation in place": (VECTOR, lambda: dense(nn.ReLU(inplace=True))),
    "two activations in place": (
        VECTOR,
        lambda: nn.Sequential(*dense(nn.ReLU(inplace=True))[:2], nn.Linear(4, 4), nn.ReLU(inplace=True), *flat(4)),
    ),
    "an activation in place of a view": (VECTOR, lambda: dense(nn.Flatten(), nn.ReLU(inplace=True))),
    "an activation in place behind another": (VECTOR, lambda: dense(nn.GELU(), nn.ELU(inplace=True))),
    "circular padding": (IMAGE, lambda: convolution(padding=1, padding_mode="circular")),
    "reflected padding": (IMAGE, lambda: convolution(padding=1, padding_mode="reflect")),
    "replicated padding": (IMAGE, lambda: convolution(padding=1, padding_mode="replicate")),
    "padding to the same size": (IMAGE, lambda: convolution(padding="same")),
    "a pooling that is there twice": (IMAGE, one_pooling_twice),
    "a linear layer of rows": ((1, 8, 8), lambda: nn.Sequential(nn.Linear(8, 4), nn.ReLU(), *flat(32))),
    "a linear layer of series": ((5, 8), lambda: nn.Sequential(nn.Linear(8, 4), nn.Tanh(), *flat(20))),
    "a forward of its own": (VECTOR, lambda: Doubled(*dense(nn.ReLU()))),
    "a layer with a forward of its own": (VECTOR, lambda: nn.Sequential(Squared(8, CLASSES))),
    "a forward put in its place": (VECTOR, patched),
    "a layer's forward put in its place": (VECTOR, patched_layer),
    "a hook on the model": (VECTOR, lambda: hooked("")),
    "a hook on an activation": (VECTOR, lambda: hooked("1")),
    "hooks on all layers": (VECTOR, lambda: hooked("0", "1", "2")),
    "a hook before a layer": (VECTOR, hooked_before),
    "a hook on a gradient": (VECTOR, hooked_behind),
    "weights made of others": (VECTOR, parametrized),
    "a parameter of a layer that is not used": (VECTOR, lambda: with_more_parameters("0")),
    "a parameter of the model that is not used": (VECTOR, lambda: with_more_parameters("")),
    "a layer that is not used": (VECTOR, lambda: nn.Sequential(Forgetful(), *dense())),
    "a bias for all units": (VECTOR, narrow_bias),
    "examples flattened into one another": (VECTOR, lambda: dense(nn.Flatten(0), nn.Unflatten(0, (-1, 4)))),
    "a parameter without dimensions": (VECTOR, lambda: dense(Scaled())),
    "a frozen body": (VECTOR, lambda: frozen(dense(nn.ReLU()), 0)),
    "a frozen head": (VECTOR, lambda: frozen(dense(nn.ReLU()), 2)),
    "a frozen convolution": (IMAGE, lambda: frozen(convolution(padding=1), 0)),
    "a frozen bias": (VECTOR, half_frozen),
    "residuals": (VECTOR, lambda: nn.Sequential(Residual(nn.Linear(8, 8), nn.ReLU(inplace=True)), *dense())),
    "features that are kept": (VECTOR, lambda: dense(Remembering())),
    "a way that depends on the inputs": (VECTOR, lambda: dense(Choosing())),
    "statistics of the batch": (VECTOR, lambda: dense(nn.BatchNorm1d(4, track_running_stats=False))),
    "channels last": (IMAGE, lambda: convolution(padding=1).to(memory_format=torch.channels_last)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_backend_trains_a_model_as_the_sequential_one_does(case):
    shape, module = CASES[case]
    fitted = network(module(), facts(shape))
    for steps, examples in ((1, 4), (2, 4), (1, 17)):
        expected = updates(Sequential(), fitted, shape=shape, steps=steps, examples=examples)
        assert expected.any()
        for name, backend in BACKENDS.items():
            found = updates(backend(), fitted, shape=shape, steps=steps, examples=examples)
            assert relative_error(found, expected) <= 1e-4, (name, steps, examples)


REPLAYED = (
    *("an activation that is there twice", "an activation in place", "a pooling that is there twice"),
    *("a linear layer of rows", "a frozen body", "a frozen head", "channels last"),
)


@pytest.mark.parametrize("case", REPLAYED)
def test_what_costs_little_to_replay_shares_a_backward(case):
    shape, module = CASES[case]
    assert shares(network(module(), facts(shape)))


def test_a_model_of_which_nothing_is_used_has_no_gradient():
    class Silent(Forgetful):
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs[:, :CLASSES]

    fitted = network(Silent(), facts(VECTOR))
    for backend in BACKENDS.values():
        assert not updates(backend(), fitted, shape=VECTOR).any()


def test_a_hook_that_is_on_every_module_is_seen_by_every_backend():
    fitted = network(dense(nn.ReLU()), facts(VECTOR))
    assert shares(fitted)
    handle = nn.modules.module.register_module_forward_hook(lambda layer, inputs, output: 2 * output)
    try:
        expected = updates(Sequential(), fitted, shape=VECTOR)
        assert relative_error(updates(Batched(), fitted, shape=VECTOR), expected) <= 1e-4
    finally:
        handle.remove()
