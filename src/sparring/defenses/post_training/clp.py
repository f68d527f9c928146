"""Channel-Lipschitz pruning (CLP, Zheng et al., 2022): prune channels that could amplify a small trigger."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch
from torch import Tensor, nn

from sparring.arrays import Batch, Vector
from sparring.contracts import Model
from sparring.defenses.post_training.chain import chain
from sparring.defenses.post_training.channels import Channels, hidden_channels, kept, masked
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.random import Generator
from sparring.validation import positive


def lipschitz_bounds(weight: Tensor) -> Tensor:
    """Bound how much each channel's output changes with its input: the largest singular value of its kernel.

    A kernel is treated as a matrix with a row for each input channel, `[input channels, height · width]`. The bound of
    a non-finite kernel is infinite.
    """
    matrices = weight.double().reshape(*weight.shape[:2], -1)
    is_finite = torch.isfinite(matrices).all(dim=2).all(dim=1)
    bounds: Tensor = torch.linalg.matrix_norm(matrices.nan_to_num(nan=0, posinf=0, neginf=0), ord=2)
    return bounds.where(is_finite, inf)


def outliers(bounds: Tensor, u: float) -> Tensor:
    """Return which numbers exceed their row's mean + u · standard deviation; none in a non-finite row."""
    means = bounds.mean(dim=-1, keepdim=True)
    deviations = (bounds - means).square().sum(dim=-1, keepdim=True).div(max(1, bounds.shape[-1] - 1)).sqrt()
    return bounds > means + u * deviations


@dataclass(frozen=True)
class CLP:
    """Prune, in every convolution, the channels with a Lipschitz bound above mean + u · standard deviation.

    It needs no data. If a group normalization follows, its scales count, and channels are compared within each of its
    groups, since all channels of a group are divided by the same number. Without convolutions the hidden units are
    compared. Of n channels none can be further than (n - 1) / √n standard deviations above the mean: with fewer than
    eleven channels, none of them reaches the published u = 3.
    """

    u: float = 3.0
    """Standard deviations above the mean from which a channel's bound is an outlier: the published u, above 0."""
    needs_root: ClassVar[bool] = False
    paper: ClassVar[str] = "Zheng et al., 2022, Data-free backdoor removal based on channel Lipschitzness, ECCV"
    cost: ClassVar[str] = "O(d), and a singular value for each channel"
    assumption: ClassVar[str] = "channels that respond to the trigger have an outlying Lipschitz bound"

    def __post_init__(self) -> None:
        positive("clp", u=self.u)

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        network = chain("clp", model.network)
        parameters = model.parameters
        for layer in hidden_channels("clp", network):
            sensitive = _sensitive(network, model.parameters, layer=layer, u=self.u)
            parameters = masked(parameters, kept(network, layer, without=sensitive))
        return Model(model.network, parameters)


def _sensitive(network: ModuleNetwork, parameters: Vector, *, layer: Channels, u: float) -> Tensor:
    """Return the indices of a layer's outliers."""
    tensors = network.split(parameters)
    bounds = lipschitz_bounds(tensors[layer.kernel])
    if isinstance(layer.norm, nn.BatchNorm1d | nn.BatchNorm2d):
        raise ConfigError("clp: the model divides each channel by a statistic of the batch; use resnet18.norm=group")
    if isinstance(layer.norm, nn.GroupNorm):
        scaled = bounds * tensors[layer.own[0]].abs()
        return outliers(scaled.view(layer.norm.num_groups, -1), u).flatten().nonzero().flatten()
    return outliers(bounds, u).nonzero().flatten()
