"""Optimizers as functions: equal to torch's, with their whole state in the open."""

import pytest
import torch

from sparring.errors import ConfigError
from sparring.registry import build
from sparring.training import OPTIMIZERS, Adam, Sgd


def gradients(steps: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.randn(steps, 11, generator=rng) * torch.logspace(-4, 2, 11)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Sgd(0.05), lambda leaf: torch.optim.SGD([leaf], lr=0.05)),
        (Adam(8e-4), lambda leaf: torch.optim.Adam([leaf], lr=8e-4)),
        (Adam(0.1, 0.5, 0.9, 1e-3), lambda leaf: torch.optim.Adam([leaf], lr=0.1, betas=(0.5, 0.9), eps=1e-3)),
    ],
    ids=["sgd", "adam", "adam with other moments"],
)
def test_steps_equal_those_of_torch(ours, theirs):
    parameters, state = torch.ones(11), {}
    leaf = torch.ones(11, requires_grad=True)
    optimizer = theirs(leaf)
    for gradient in gradients(30):
        parameters, state = ours.step(parameters, gradient, state)
        leaf.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close(parameters, leaf.detach(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rule", [Sgd(), Adam()], ids=repr)
def test_a_step_edits_nothing_that_it_is_given(rule):
    parameters, (first, second) = torch.ones(11), gradients(2)
    after, state = rule.step(parameters, first, {})
    kept = {name: tensor.clone() for name, tensor in state.items()}
    rule.step(after, second, state)
    assert parameters.equal(torch.ones(11))
    assert first.equal(gradients(2)[0])
    assert all(state[name].equal(tensor) for name, tensor in kept.items())


def test_optimizers_are_built_by_name():
    assert build("optimizer", OPTIMIZERS, {"name": "adam", "lr": 8e-4}) == Adam(8e-4)


@pytest.mark.parametrize("wrong", [lambda: Sgd(0), lambda: Adam(-1), lambda: Adam(mean_decay=1), lambda: Adam(floor=0)])
def test_a_setting_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match="use "):
        wrong()
