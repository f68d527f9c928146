"""Dropout (Srivastava et al., 2014) while training: the attacker cannot know which units take part."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from sparring.contracts import Memory, MinibatchView, Network, Purified
from sparring.defenses.post_training.chain import Tap, activations, add_taps, chain
from sparring.models import ModuleNetwork
from sparring.random import Generator
from sparring.validation import fraction


def draw_mask(shape: torch.Size, *, rate: float, rng: Generator, like: Tensor) -> Tensor:
    """Return zeros with probability `rate`, and the number that keeps the expectation elsewhere."""
    kept = torch.from_numpy(rng.random(tuple(shape), dtype=np.float32) >= rate).to(like)
    return kept / (1 - rate)


def drop_units(network: Network, *, rate: float, rng: Generator) -> ModuleNetwork:
    """Return a network with the same parameters in which hidden units are dropped after each activation.

    The masks are fixed: equal inputs give equal outputs, at any number of calls.
    """
    known = chain("dropout", network)

    def tap(seed: int) -> Tap:
        return lambda signals: (
            signals * draw_mask(signals.shape, rate=rate, rng=np.random.Generator(np.random.PCG64(seed)), like=signals)
        )

    return add_taps(known, {name: tap(int(rng.integers(2**63))) for name in activations("dropout", known)})


@dataclass(frozen=True)
class Dropout:
    r"""Train a network in which each hidden unit is dropped with probability `rate`, drawn again in each round.

    $$h'' = \frac{m}{1 - r} \odot h, \quad m_j \sim \mathrm{Bernoulli}(1 - r)$$

    Units are dropped after each activation of a chain of layers, for each example on its own. Examples are left alone,
    and predictions use all units.
    """

    rate: float = 0.2
    """r: the probability that a unit is dropped, below 1; 0.2 is published."""
    paper: ClassVar[str] = (
        "Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR"
    )
    cost: ClassVar[str] = "O(b) random numbers per unit"
    assumption: ClassVar[str] = "the perturbation is made for one network"

    def __post_init__(self) -> None:
        fraction("dropout", rate=self.rate)

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        return Purified(view.batch, drop_units(view.network, rate=self.rate, rng=view.rng)), memory
