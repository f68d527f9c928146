"""A convolution whose gradient in its inputs is computed phase by phase.

A stride of s divides the inputs into s² phases, each of which is convolved with every s-th weight per side. The
gradient of all phases is then one convolution without stride, and takes half the time of torch's at 8 channels.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d


def is_divisible(inputs: Tensor, weight: Tensor, *, stride: int) -> bool:
    """Say whether the phases of inputs and kernels have equal sizes, and every input counts; without padding."""
    sides, kernels = inputs.shape[2:], weight.shape[2:]
    pairs = zip(sides, kernels, strict=True)
    return stride > 1 and all(side % stride == 0 and kernel % stride == 0 and kernel <= side for side, kernel in pairs)


class _StridedConvolution(torch.autograd.Function):
    """The convolution without padding of `[examples, channels, ...]` inputs, differentiable in the inputs alone."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        ctx.weight, ctx.stride = weight, stride
        return conv2d(inputs, weight, bias, stride)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, None, None, None]:
        return inputs_slope(slopes, ctx.weight, stride=ctx.stride), None, None, None


def inputs_slope(slopes: Tensor, weight: Tensor, *, stride: int) -> Tensor:
    """Return the gradient in the inputs, in channels-last format, given that in the outputs."""
    width, channels, height, across = weight.shape
    taps = height // stride, across // stride
    phases = weight.view(width, channels, taps[0], stride, taps[1], stride).flip(2, 4)
    kernels = phases.permute(3, 5, 1, 0, 2, 4).reshape(stride * stride * channels, width, *taps)
    signals = conv2d(slopes, kernels, padding=(taps[0] - 1, taps[1] - 1)).permute(0, 2, 3, 1)
    apart = signals.unflatten(3, (stride, stride, channels))
    gradient: Tensor = apart.permute(0, 1, 3, 2, 4, 5).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
    return gradient


def strided_convolution(inputs: Tensor, weight: Tensor, *, bias: Tensor, stride: int) -> Tensor:
    """Convolve without padding; the result is differentiable in the inputs alone."""
    outputs: Tensor = _StridedConvolution.apply(inputs, weight, bias, stride)  # type: ignore[no-untyped-call]
    return outputs
