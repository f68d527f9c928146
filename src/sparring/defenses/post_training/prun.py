"""Prun (Wu et al., 2020): prune the channels that are inactive on clean examples."""

from dataclasses import dataclass
from math import floor
from typing import ClassVar

import torch
from torch import Tensor, nn

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Model
from sparring.defenses.post_training.chain import add_taps, chain
from sparring.defenses.post_training.channels import hidden_channels, kept, masked
from sparring.defenses.post_training.requirements import clean_examples
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.random import Generator
from sparring.validation import at_least, fraction

CHUNK = 1000
"""Maximum number of examples per forward pass."""


@torch.no_grad()
def activity(network: ModuleNetwork, parameters: Vector, *, layer: str, inputs: Tensor) -> Tensor:
    """Return the mean positive part of each channel of a layer's output, over all examples and positions."""
    sums: list[Tensor] = []
    # Linear layers have their units in the last dimension; other layers have channels in the second.
    dimension = -1 if isinstance(network.module.get_submodule(layer), nn.Linear) else 1

    def watch(output: Tensor) -> Tensor:
        sums.append(output.relu().movedim(dimension, 0).flatten(1).mean(dim=1) * len(output))
        return output

    watched = add_taps(network, {layer: watch})
    for part in in_chunks(inputs, CHUNK):
        watched.forward(watched.split(parameters), part)
    return torch.stack(sums).sum(dim=0) / len(inputs)


def least_active(activity: Tensor, count: int) -> Tensor:
    """Return the indices of the `count` least active channels; ties go to the first."""
    return activity.argsort(stable=True)[:count]


def survivors(defense: str, model: Model, *, inputs: Tensor, share: float, count: int | None = None) -> Tensor:
    """Return the mask of parameters, `[parameters]`, after pruning the last convolution's least active channels.

    `share` is the fraction of channels to prune, `count` a number in its place. Without convolutions the units of the
    last hidden layer are pruned.
    """
    network = chain(defense, model.network)
    last = hidden_channels(defense, network)[-1]
    active = activity(network, model.parameters, layer=last.layer, inputs=inputs)
    width = len(active)
    if count is not None and count >= width:
        raise ConfigError(f"{defense}: count={count}; layer {last.layer!r} has {width} channels, use count < {width}")
    taken = floor(share * width) if count is None else count
    return kept(network, last, without=least_active(active, taken))


@dataclass(frozen=True)
class Prun:
    """Prune the channels of the last convolution that are least active on the server's root data.

    The meta-Stackelberg game (MSG) prunes 256 of ResNet-18's 512 channels, a share of 0.5.
    """

    share: float = 0.5
    """The published σ: fraction of the channels to prune, rounded down."""
    count: int | None = None
    """Number of channels to prune, in place of `share`."""
    needs_root: ClassVar[bool] = True
    paper: ClassVar[str] = "Wu et al., 2020, Mitigating backdoor attacks in federated learning, arXiv:2011.01767"
    cost: ClassVar[str] = "one pass over the root data"
    assumption: ClassVar[str] = (
        "channels that the trigger uses are idle on clean examples, and root data resemble the clients' data"
    )

    def __post_init__(self) -> None:
        fraction("prun", share=self.share)
        at_least(0, "prun", count=self.count)

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        inputs = clean_examples("prun", root).inputs
        mask = survivors("prun", model, inputs=inputs, share=self.share, count=self.count)
        return Model(model.network, masked(model.parameters, mask))
