"""How generative models are fitted: minibatches from a generator, and Adam on named tensors."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Batch, pixels
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.validation import at_least, positive

Tensors = Mapping[str, Tensor]


def check_fitting(player: str, *, epochs: int, batch: int, lr: float, latent: int = 1) -> None:
    """Reject settings with which nothing is learned."""
    at_least(1, player, epochs=epochs, batch=batch, latent=latent)
    positive(player, lr=lr)


def minibatches(player: str, examples: Batch, *, epochs: int, batch: int, rng: Generator) -> Iterator[Batch]:
    """Yield minibatches of floats in [0, 1], in a new order in each epoch; the last ones may be smaller."""
    count = len(examples.labels)
    if count == 0:
        raise ConfigError(f"{player}: there are no examples to learn from; set data.validation above 0")
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(count)).to(examples.labels.device)
        for rows in order.split(batch):
            yield Batch(pixels(examples.inputs[rows]), examples.labels[rows])


def draw_normal(shape: tuple[int, ...], rng: Generator, *, like: Tensor) -> Tensor:
    """Draw standard normal values with the device and precision of `like`."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)).to(like)


class Minimization:
    """Named tensors that move down losses by Adam."""

    def __init__(self, start: Tensors, *, lr: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.tensors = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
        self._optimizer = torch.optim.Adam(self.tensors.values(), lr=lr, betas=betas)

    def step(self, loss: Callable[..., Tensor], *given: Tensor) -> None:
        """Take one step down a loss of the tensors and of what is given beside them."""
        self._optimizer.zero_grad()
        with torch.enable_grad():
            loss(self.tensors, *given).backward(inputs=list(self.tensors.values()))
        self._optimizer.step()

    def result(self) -> dict[str, Tensor]:
        """Return the tensors as they are now."""
        return {name: tensor.detach().clone() for name, tensor in self.tensors.items()}
