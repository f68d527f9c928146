"""Randomized smoothing: predict by the vote of noisy copies of a model (Cohen et al., 2019; Xie et al., 2021)."""

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
    """A network that predicts by the votes of copies with noise on their parameters and inputs.

    Each copy's noise is regenerated from its seed at every vote; all inputs are classified by the same copies.
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
        """Return the number of copies that vote for each class, `[examples, classes]`."""
        answers = (self.network.forward(*copy) for copy in self._copies(tensors, inputs))
        return torch.stack([one_hot(logits.argmax(dim=1), logits.shape[1]) for logits in answers]).sum(dim=0)

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return logits whose softmax is each class's fraction of the votes, after adding one vote to every class."""
        return (self.votes(tensors, inputs) + 1.0).log()

    def _copies(self, tensors: Sequence[Tensor], inputs: Tensor) -> Iterator[tuple[Sequence[Tensor], Tensor]]:
        for seed in self.seeds:
            rng = stream(seed, "smoothing")
            moved = [_add_noise(tensor, tensor.shape, noise=self.noise, rng=rng) for tensor in tensors]
            yield moved, _add_noise(inputs, inputs.shape[1:], noise=self.input_noise, rng=rng)


def _add_noise(tensor: Tensor, shape: Sequence[int], *, noise: float, rng: Generator) -> Tensor:
    """Add Gaussian noise of this shape to the tensor; every input of a batch gets the same noise."""
    if noise == 0:
        return tensor
    return tensor + noise * torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32)).to(tensor.device)


class Certificate(NamedTuple):
    """The prediction for each input, and the certified radii of the model's parameters and of the input."""

    labels: Tensor
    lower: Tensor
    """Lower bound on the probability of the label."""
    upper: Tensor
    """Upper bound on the probability of any other class."""
    parameter_radius: Tensor
    """In the norm of the whole parameter vector; zero without parameter noise."""
    input_radius: Tensor
    """In the norm of an input with pixels in [0, 1]; zero without input noise."""

    def __repr__(self) -> str:
        return briefly(self)


@torch.no_grad()
def certify(model: Model, inputs: Tensor, *, alpha: float = 0.001) -> Certificate:
    """Return a smoothed model's predictions with certificates; each input's claims fail with probability alpha."""
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
    """Predict by the majority vote of copies of the model with Gaussian noise on the parameters, the inputs, or both.

    The default noise is that of CRFL's authors, who use 1000 votes for certificates; `certify` computes these.
    """

    noise: float = 0.01
    """Standard deviation of the noise on each parameter."""
    input_noise: float = 0.0
    """Standard deviation of the noise on each pixel in [0, 1]."""
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
