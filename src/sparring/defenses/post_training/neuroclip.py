"""NeuroClip (after Wang et al., 2022): clip hidden activations to a fixed range."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.defenses.post_training.chain import activations, add_taps, chain
from sparring.models import ModuleNetwork
from sparring.random import Generator
from sparring.validation import positive


def neuroclip(network: ModuleNetwork, bound: float) -> ModuleNetwork:
    """Return the network with every hidden activation clipped to [-bound, bound]."""
    positive("neuroclip", bound=bound)
    clip = partial(torch.clamp, min=-bound, max=bound)
    return add_taps(network, dict.fromkeys(activations("neuroclip", network), clip))


@dataclass(frozen=True)
class NeuroClip:
    """Clip every hidden activation to a fixed range, which limits the large activations that a trigger causes.

    The meta-Stackelberg game (MSG) uses the bound 7, and in its table also 10, 6 and 1. It needs no data.
    """

    bound: float = 7.0
    """Activations are clipped to [-bound, bound]; above 0."""
    needs_root: ClassVar[bool] = False
    paper: ClassVar[str] = (
        "after Wang et al., 2022, MM-BD: post-training detection of backdoor attacks with arbitrary backdoor pattern "
        "types using a maximum margin statistic, IEEE Symposium on Security and Privacy"
    )
    cost: ClassVar[str] = "one comparison for each activation of each prediction"
    assumption: ClassVar[str] = "the trigger needs activations beyond the bound, and clean examples do not"

    def __post_init__(self) -> None:
        positive("neuroclip", bound=self.bound)

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        return Model(neuroclip(chain("neuroclip", model.network), self.bound), model.parameters)
