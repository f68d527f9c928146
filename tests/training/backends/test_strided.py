import pytest
import torch
from torch.nn.functional import conv2d

from sparring.training.backends.strided import is_divisible, strided_convolution


@pytest.mark.parametrize(
    ("channels", "width", "sides", "kernel", "stride"),
    [(3, 5, (14, 12), (6, 4), 2), (8, 16, (14, 14), (6, 6), 2), (2, 3, (9, 6), (3, 6), 3), (1, 2, (8, 8), (8, 8), 4)],
)
def test_gradient_equals_that_of_torch(
    channels: int, width: int, sides: tuple[int, int], kernel: tuple[int, int], stride: int
) -> None:
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(4, channels, *sides, generator=rng).requires_grad_()
    weight, bias = torch.randn(width, channels, *kernel, generator=rng), torch.randn(width, generator=rng)
    assert is_divisible(inputs, weight, stride=stride)
    expected = conv2d(inputs, weight, bias, stride)
    slopes = torch.randn(expected.shape, generator=rng)
    outputs = strided_convolution(inputs, weight, bias=bias, stride=stride)
    assert torch.equal(outputs, expected)
    wanted, found = (torch.autograd.grad(each, inputs, slopes)[0] for each in (expected, outputs))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(("side", "kernel", "stride"), [(14, 6, 1), (13, 6, 2), (14, 5, 2), (4, 6, 2)])
def test_refuses_phases_of_different_sizes(side: int, kernel: int, stride: int) -> None:
    inputs, weight = torch.empty(1, 2, side, side), torch.empty(3, 2, kernel, kernel)
    assert not is_divisible(inputs, weight, stride=stride)
