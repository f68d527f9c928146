"""Two-dimensional convolution on CPUs by the fastest of four equivalent algorithms."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, pad

from sparring.models.minimal_filtering import filtered, pays


def convolve(inputs: Tensor, weight: Tensor, *, bias: Tensor, stride: int, padding: int) -> Tensor:
    """Compute the same as `conv2d`, with the result in channels-last memory format.

    A single input channel is multiplied patch by patch, and a kernel as large as its input is one linear layer: in both
    cases the general code takes about three times as long. A small strided convolution with many channels takes half
    the time with minimal filtering. Anything else is fastest in channels-last format. Other devices use `conv2d`.
    """
    if inputs.device.type != "cpu":
        return conv2d(inputs, weight, bias, stride, padding)
    if inputs.shape[1] == 1:
        return _by_patches(inputs, weight, bias=bias, stride=stride, padding=padding)
    if inputs.shape[2:] == weight.shape[2:] and padding == 0:
        signal, kernel = (tensor.permute(0, 2, 3, 1).flatten(1) for tensor in (inputs, weight))
        return linear(signal, kernel, bias)[:, :, None, None]
    if padding == 0 and pays(inputs, weight, stride=stride):
        return filtered(inputs, weight, stride=stride) + bias[:, None, None]
    return conv2d(inputs, weight, bias, stride, padding)


def _by_patches(inputs: Tensor, weight: Tensor, *, bias: Tensor, stride: int, padding: int) -> Tensor:
    """Multiply each patch of a single-channel image by the kernels."""
    height, width = weight.shape[2:]
    padded = pad(inputs, (padding,) * 4)[:, 0]
    patches = padded.unfold(1, height, stride).unfold(2, width, stride).flatten(3)
    return linear(patches, weight.flatten(1), bias).permute(0, 3, 1, 2)


class Convolution(nn.Module):
    """A layer with the parameters of `nn.Conv2d` and a square kernel."""

    def __init__(self, channels: int, width: int, *, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(width))
        self.stride, self.padding = stride, padding

    def forward(self, inputs: Tensor) -> Tensor:
        return convolve(inputs, self.weight, bias=self.bias, stride=self.stride, padding=self.padding)
