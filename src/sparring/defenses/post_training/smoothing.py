"""Randomized smoothing: a model is answered for by the vote of noisy copies (Cohen et al., 2019; Xie et al., 2021)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.arrays import Batch, Vector, briefly, pixels
from sparring.contracts import Model, Network, check_model
from sparring.defenses.post_training.certificate import gaussian_radius, vote_bounds
from sparring.errors import ConfigError
from sparring.random import Generator, stream
from sparring.validation import at_least


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A network that answers by the votes of copies with noise on its parameters and on its inputs.

    Each copy's noise is drawn anew, from a seed of its own, whenever it votes; all inputs meet the same copies.
    """

    network: Network
    noise: float
    input_noise: float
    seeds: tuple[int, ...]

    __repr__ = briefly

    @property
    def size(self) -> int:
        return self.network.size

    @property
    def layers(self) -> Mapping[str, slice]:
        return self.network.layers

    def initial(self, rng: Generator) -> Vector:
        return self.network.initial(rng)

    def split(self, parameters: Vector) -> tuple[Tensor, ...]:
        return self.network.split(parameters)

    def to(self, device: torch.device | str) -> "Smoothed":
        return replace(self, network=self.network.to(device))

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        return self.network.named(parameters)

    def votes(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return how many copies vote for each class, `[examples, classes]`."""
        answers = (self.network.forward(*copy) for copy in self._copies(tensors, inputs))
        return torch.stack([one_hot(logits.argmax(dim=1), logits.shape[1]) for logits in answers]).sum(dim=0)

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return logits whose softmax is each class's share of the votes, with one vote more for every class."""
        return (self.votes(tensors, inputs) + 1.0).log()

    def _copies(self, tensors: Sequence[Tensor], inputs: Tensor) -> Iterator[tuple[Sequence[Tensor], Tensor]]:
        for seed in self.seeds:
            rng = stream(seed, "smoothing")
            moved = [_blurred(tensor, tensor.shape, noise=self.noise, rng=rng) for tensor in tensors]
            yield moved, _blurred(inputs, inputs.shape[1:], noise=self.input_noise, rng=rng)


def _blurred(tensor: Tensor, shape: Sequence[int], *, noise: float, rng: Generator) -> Tensor:
    """Return the tensor with Gaussian noise of this shape; an input is blurred alike, whatever inputs are beside it."""
    if noise == 0:
        return tensor
    return tensor + noise * torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32)).to(tensor.device)


class Certificate(NamedTuple):
    """What the votes say of each input, and how far the model or the input can move without another answer."""

    labels: Tensor
    lower: Tensor
    """A bound from below on the probability of the label."""
    upper: Tensor
    """A bound from above on that of any other class."""
    parameter_radius: Tensor
    """In the norm of the whole parameter vector; zero without noise on it."""
    input_radius: Tensor
    """In the norm of an input with pixels in [0, 1]; zero without noise on it."""

    def __repr__(self) -> str:
        return briefly(self)


@torch.no_grad()
def certify(model: Model, inputs: Tensor, *, alpha: float = 0.001) -> Certificate:
    """Report what a smoothed model answers, and what is proved of it; each input's claims fail with chance alpha."""
    check_model("certify: model", model)
    network = model.network
    if not isinstance(network, Smoothed):
        raise ConfigError(f"certify: the model is a {type(network).__name__}; use what smoothing's repair returns")
    votes = network.votes(network.split(model.parameters), pixels(inputs))
    lower, upper = vote_bounds(votes, alpha)
    radii = (gaussian_radius(lower, upper, noise=noise) for noise in (network.noise, network.input_noise))
    return Certificate(votes.argmax(dim=1), lower, upper, *radii)


@dataclass(frozen=True)
class Smoothing:
    """Answer by the majority of copies of the model with Gaussian noise on its parameters, on its inputs, or on both.

    The noise is that of CRFL's authors, who take 1000 votes for certificates; `certify` computes these.
    """

    noise: float = 0.01
    """The standard deviation of the noise on each parameter."""
    input_noise: float = 0.0
    """The standard deviation of the noise on each pixel in [0, 1]."""
    votes: int = 20
    """Noisy copies that vote on each input, at least 1."""
    needs_root: ClassVar[bool] = False
    paper: ClassVar[str] = (
        "Cohen et al., 2019, Certified adversarial robustness via randomized smoothing, ICML; Xie et al., 2021, CRFL: "
        "certifiably robust federated learning against backdoor attacks, ICML"
    )
    cost: ClassVar[str] = "V predictions in place of one for V votes, and O(V d) for their noise"
    assumption: ClassVar[str] = "the answers to clean examples withstand the noise, and those to the trigger do not"

    def __post_init__(self) -> None:
        at_least(0, "smoothing", noise=self.noise, input_noise=self.input_noise)
        at_least(1, "smoothing", votes=self.votes)
        if self.noise == self.input_noise == 0:
            raise ConfigError("smoothing: noise=0 and input_noise=0; use one of them above 0")

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        seeds = tuple(rng.integers(np.iinfo(np.int64).max, size=self.votes).tolist())
        return Model(Smoothed(model.network, self.noise, self.input_noise, seeds), model.parameters)
