"""Prun (Wu et al., 2020): the channels that clean examples leave idle are cut off."""

from dataclasses import dataclass
from math import floor
from typing import ClassVar

import torch
from torch import Tensor, nn

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Model
from sparring.defenses.post_training.chain import chain, tapped
from sparring.defenses.post_training.channels import hidden_channels, kept, masked
from sparring.defenses.post_training.requirements import clean_examples
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.random import Generator
from sparring.validation import at_least, fraction

CHUNK = 1000
"""The most examples that pass at once."""


@torch.no_grad()
def activity(network: ModuleNetwork, parameters: Vector, *, layer: str, inputs: Tensor) -> Tensor:
    """Return the mean positive part of each channel of a layer's output, over all examples and places."""
    sums: list[Tensor] = []
    # Linear layers have their units last, whatever rows there are; all others have channels behind the examples.
    place = -1 if isinstance(network.module.get_submodule(layer), nn.Linear) else 1

    def watch(output: Tensor) -> Tensor:
        sums.append(output.relu().movedim(place, 0).flatten(1).mean(dim=1) * len(output))
        return output

    watched = tapped(network, {layer: watch})
    for part in in_chunks(inputs, CHUNK):
        watched.forward(watched.split(parameters), part)
    return torch.stack(sums).sum(dim=0) / len(inputs)


def least_active(activity: Tensor, count: int) -> Tensor:
    """Return the indices of the `count` least active channels; of equally active ones, the first."""
    return activity.argsort(stable=True)[:count]


def survivors(defense: str, model: Model, *, inputs: Tensor, share: float, count: int | None = None) -> Tensor:
    """Return which parameters are left, `[parameters]`, without the idlest share of the last convolution's channels.

    `count` takes so many in place of a share. Where there is no convolution, the last hidden layer's units count.
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
    """Silence the least active channels of the last convolution, as far as the server's root data can tell.

    The meta-Stackelberg game (MSG) prunes 256 of ResNet-18's 512 channels, which is a share of 0.5.
    """

    share: float = 0.5
    """The published σ: what part of the channels goes, rounded down."""
    count: int | None = None
    """So many channels in place of a share."""
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
