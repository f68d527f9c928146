"""A plug-in whose model has a rule for `vmap` that is wrong, so that a backend trains it in another way."""

MODULE = "my_unlike"

SOURCE = '''
from dataclasses import dataclass
from math import prod

import torch
from torch import nn


class Unlike(torch.autograd.Function):
    """Return the inputs; for many clients at once, four times as much."""

    @staticmethod
    def forward(inputs):
        return inputs.clone()

    @staticmethod
    def setup_context(context, inputs, output):
        pass

    @staticmethod
    def backward(context, slopes):
        return slopes

    @staticmethod
    def vmap(info, in_dims, inputs):
        return 4 * inputs, in_dims[0]


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, inputs):
        return Unlike.apply(inputs * self.weight)


@dataclass(frozen=True)
class Net:
    """A linear layer behind one that scales."""

    def module(self, shape, classes):
        return nn.Sequential(nn.Flatten(), Scale(), nn.Linear(prod(shape), classes))
'''
