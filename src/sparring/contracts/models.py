"""Models: a network as a function of one flat parameter vector, and a network with its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from sparring.arrays import Vector, briefly, pixels
from sparring.errors import ConfigError
from sparring.named_tensors import fill, normalization, read_named, write_named
from sparring.random import Generator
from sparring.validation import check_kind, check_network


class Network(Protocol):
    """A model as a function of one flat float32 parameter vector of length `size`."""

    @property
    def size(self) -> int:
        """Number of parameters."""

    @property
    def layers(self) -> Mapping[str, slice]:
        """The coordinates of each layer's parameters, first layer first."""

    def initial(self, rng: Generator) -> Vector:
        """Draw the initial parameters of training."""

    def split(self, parameters: Vector) -> tuple[Tensor, ...]:
        """View the vector as the model's parameter tensors."""

    def to(self, device: torch.device | str) -> "Network":
        """Return the same network with its own tensors moved to a device."""

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        """View the vector as the model's named tensors, including those that are not parameters, such as buffers."""

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits of inputs whose pixels lie in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its parameters."""

    network: Network
    parameters: Vector

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_network("model.network", self.network)
        check_kind(
            "model.parameters", self.parameters, kind=Tensor, remedy="give a vector, such as network.initial(rng)"
        )

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits of byte images or of inputs in [0, 1]."""
        return self.network.forward(self.network.split(self.parameters), pixels(inputs))

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of the tensors under their torch names, as `load_state_dict` of the torch module expects."""
        return {name: tensor.clone() for name, tensor in self.network.named(self.parameters).items()}

    def save(self, path: str | Path) -> None:
        """Write the tensors to one file in the safetensors format."""
        write_named(path, self.state_dict(), facts=normalization(self.network))

    @classmethod
    def load(cls, path: str | Path, network: Network) -> "Model":
        """Return the model that `save`, or other software using the same tensor names, wrote to `path`.

        `network` must be fitted to the same data as the network of the saved model.
        """
        check_network("load: network", network)
        tensors, facts = read_named(path)
        if facts and normalization(network) and facts != normalization(network):
            raise ConfigError(f"{path} is of a model with {facts}; this network has {normalization(network)}")
        parameters = torch.empty(network.size)
        fill(parameters, network.named(parameters), tensors=tensors, path=path)
        return cls(network, parameters)


def check_model(label: str, value: object) -> None:
    """Reject a value that is not a model."""
    check_kind(label, value, kind=Model, remedy="give a Model, such as result.model or Model(network, parameters)")
