"""Convolutions with the fewest multiplications: torch's own results, to rounding."""

from functools import partial

import pytest
import torch
from torch.nn.functional import conv2d

from sparring.models.convolution import convolve
from sparring.models.minimal_filtering import WIDE, filtered, pays

SHAPES = [(14, 6, 2), (14, 4, 2), (12, 6, 2), (7, 3, 1), (5, 2, 1), (12, 6, 3), (21, 9, 3), (6, 4, 2)]


def drawn(side, kernel, dtype=torch.float32, channels=WIDE):
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(3, channels, side, side, generator=rng, dtype=dtype)
    return inputs, torch.randn(5, channels, kernel, kernel, generator=rng, dtype=dtype)


@pytest.mark.parametrize(("side", "kernel", "stride"), SHAPES)
class TestFiltered:
    def test_it_is_torch_s_convolution(self, side, kernel, stride):
        inputs, weight = drawn(side, kernel, torch.float64)
        torch.testing.assert_close(filtered(inputs, weight, stride=stride), conv2d(inputs, weight, stride=stride))

    def test_float32_loses_little_of_it(self, side, kernel, stride):
        inputs, weight = drawn(side, kernel)
        exact = conv2d(inputs.double(), weight.double(), stride=stride)
        assert (filtered(inputs, weight, stride=stride) - exact).norm() < 1e-5 * exact.norm()

    def test_its_gradients_are_torch_s(self, side, kernel, stride):
        pair = [tensor.requires_grad_() for tensor in drawn(side, kernel, torch.float64, channels=2)]
        ours = torch.autograd.grad(filtered(*pair, stride=stride).square().sum(), pair)
        theirs = torch.autograd.grad(conv2d(*pair, stride=stride).square().sum(), pair)
        torch.testing.assert_close(ours, theirs)


def test_clients_can_be_batched():
    inputs, weight = drawn(14, 6, torch.float64)
    both = torch.vmap(partial(filtered, stride=2))(torch.stack([inputs, -inputs]), torch.stack([weight] * 2))
    torch.testing.assert_close(both[0], -both[1])


def test_the_published_cnn_s_second_layer_is_taken_this_way():
    assert pays(torch.empty(1, 64, 14, 14), torch.empty(128, 64, 6, 6), stride=2)


@pytest.mark.parametrize(
    ("channels", "sides", "kernel", "stride"),
    [
        (WIDE - 1, (14, 14), 6, 2),
        (WIDE, (14, 12), 6, 2),
        (WIDE, (16, 16), 6, 2),
        (WIDE, (13, 13), 6, 2),
        (WIDE, (14, 14), 5, 2),
        (WIDE, (14, 14), 2, 2),
        (WIDE, (6, 6), 6, 2),
    ],
)
def test_what_does_not_pay_is_left_to_torch(channels, sides, kernel, stride):
    assert not pays(torch.empty(1, channels, *sides), torch.empty(2, channels, kernel, kernel), stride=stride)


@pytest.mark.parametrize(
    ("channels", "side", "kernel", "stride", "padding"),
    [(1, 9, 4, 2, 1), (3, 5, 5, 1, 0), (WIDE, 14, 6, 2, 0), (WIDE, 14, 6, 2, 1), (3, 9, 4, 2, 1)],
)
def test_every_way_to_convolve_gives_what_torch_gives(channels, side, kernel, stride, padding):
    inputs, weight = drawn(side, kernel, torch.float64, channels)
    bias = torch.arange(5, dtype=torch.float64)
    ours = convolve(inputs, weight, bias=bias, stride=stride, padding=padding)
    torch.testing.assert_close(ours, conv2d(inputs, weight, bias, stride, padding))


def test_a_kernel_that_is_no_square_is_left_to_torch():
    inputs, weight = drawn(14, 6, torch.float64)
    weight = weight[:, :, :4].contiguous()
    bias = torch.zeros(len(weight), dtype=torch.float64)
    assert not pays(inputs, weight, stride=2)
    ours = convolve(inputs, weight, bias=bias, stride=2, padding=0)
    torch.testing.assert_close(ours, conv2d(inputs, weight, stride=2))
