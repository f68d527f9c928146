"""Variational autoencoders as denoisers: Defense-VAE (Li and Ji, 2021), also conditioned on labels (R2T2, 2023)."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sparring.arrays import Batch
from sparring.contracts import Memory
from sparring.generation.fitting import Minimization, Tensors, check_fitting, draw_normal, minibatches
from sparring.models.autoencoder import apply_module, build_decoder, build_encoder, check_image_shape, draw_tensors
from sparring.random import Generator


@dataclass(frozen=True)
class Coder:
    """The two halves of a variational autoencoder; with `classes`, both see the label as one-hot numbers."""

    encoder: nn.Module
    decoder: nn.Module
    classes: int

    def encode(self, tensors: Tensors, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the mean and the logarithm of the variance of each example's latent numbers."""
        maps = self._one_hot(batch)[:, :, None, None].expand(-1, -1, *batch.inputs.shape[2:])
        coded = apply_module(self.encoder, tensors, torch.cat([batch.inputs, maps], dim=1), prefix="encoder.")
        mean, log_variance = coded.chunk(2, dim=1)
        return mean, log_variance

    def decode(self, tensors: Tensors, latent: Tensor, batch: Batch) -> Tensor:
        """Return the images, as logits of their pixels."""
        seen = torch.cat([latent, self._one_hot(batch)], dim=1)
        return apply_module(self.decoder, tensors, seen, prefix="decoder.")

    def _one_hot(self, batch: Batch) -> Tensor:
        """Return a one for the label; only zeros for a label that was not among the examples learned from."""
        known = torch.arange(self.classes, device=batch.labels.device)
        return (batch.labels[:, None] == known).to(batch.inputs)


def build_coder(player: str, inputs: Tensor, *, latent: int, classes: int) -> Coder:
    """Return the halves for images like these."""
    shape = check_image_shape(player, inputs.shape[1:])
    seen = (shape[0] + classes, *shape[1:])
    return Coder(build_encoder(seen, 2 * latent), build_decoder(latent + classes, shape), classes)


def elbo_losses(coder: Coder, tensors: Tensors, batch: Batch, noise: Tensor) -> Tensor:
    """Return the negative evidence lower bound of each example, in nats, with pixels as probabilities."""
    mean, log_variance = coder.encode(tensors, batch)
    logits = coder.decode(tensors, mean + noise * (log_variance / 2).exp(), batch)
    misses = binary_cross_entropy_with_logits(logits, batch.inputs, reduction="none").flatten(1).sum(dim=1)
    divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1) / 2
    return misses + divergence


def fit_coder(coder: Coder, fitted: "VAE | CVAE", examples: Batch, *, player: str, rng: Generator) -> Memory:
    """Return the tensors of both halves after `epochs` passes."""
    start = draw_tensors(coder.encoder, rng, prefix="encoder.") | draw_tensors(coder.decoder, rng, prefix="decoder.")
    descent = Minimization({name: tensor.to(examples.inputs.device) for name, tensor in start.items()}, lr=fitted.lr)
    for batch in minibatches(player, examples, epochs=fitted.epochs, batch=fitted.batch, rng=rng):
        noise = draw_normal((len(batch.labels), fitted.latent), rng, like=batch.inputs)
        descent.step(partial(_mean_loss, coder), *batch, noise)
    return descent.result()


def _mean_loss(coder: Coder, tensors: Tensors, inputs: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
    return elbo_losses(coder, tensors, Batch(inputs, labels), noise).mean()


@torch.no_grad()
def reconstruct(coder: Coder, memory: Memory, batch: Batch) -> Tensor:
    """Return the decoded mean of each example's latent numbers."""
    mean, _ = coder.encode(memory, batch)
    return coder.decode(memory, mean, batch).sigmoid()


@dataclass(frozen=True)
class VAE:
    """Replace each input by its reconstruction by a variational autoencoder.

    It has convolutions with 16 and 32 channels, `latent` numbers, and convolutions with 32 and 16 channels, and learns
    from clean examples alone; Li and Ji also show it perturbed ones.
    """

    latent: int = 20
    """Numbers between encoder and decoder."""
    epochs: int = 30
    """Passes over the examples."""
    batch: int = 50
    """Examples of a minibatch."""
    lr: float = 1e-3
    """The learning rate, with Adam."""
    paper: ClassVar[str] = (
        "Li & Ji, 2021, Defense-VAE: a fast and accurate defense against adversarial attacks, ECML PKDD workshops"
    )
    cost: ClassVar[str] = "one pass through the autoencoder per example"
    assumption: ClassVar[str] = "what identifies an image is in its reconstruction, and the perturbation is not"

    def __post_init__(self) -> None:
        check_fitting("vae", epochs=self.epochs, batch=self.batch, lr=self.lr, latent=self.latent)

    def fit(self, examples: Batch, rng: Generator) -> Memory:
        return fit_coder(self._coder(examples.inputs), self, examples, player="vae", rng=rng)

    def denoise(self, memory: Memory, inputs: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        return reconstruct(self._coder(inputs), memory, Batch(inputs, labels))

    def _coder(self, inputs: Tensor) -> Coder:
        return build_coder("vae", inputs, latent=self.latent, classes=0)


@dataclass(frozen=True)
class CVAE:
    """Replace each input by its reconstruction by a variational autoencoder that sees the label.

    Encoder and decoder see the label as one-hot numbers: as constant maps beside the image, and beside the latent
    numbers. A label that was not among the examples learned from is seen as zeros.
    """

    latent: int = 20
    """Numbers between encoder and decoder, beside the label."""
    epochs: int = 30
    """Passes over the examples."""
    batch: int = 50
    """Examples of a minibatch."""
    lr: float = 1e-3
    """The learning rate, with Adam."""
    paper: ClassVar[str] = "Sohn et al., 2015, Learning structured output representation using deep generative models"
    cost: ClassVar[str] = "one pass through the autoencoder per example"
    assumption: ClassVar[str] = "labels are right, and what identifies an image is in its reconstruction"

    def __post_init__(self) -> None:
        check_fitting("cvae", epochs=self.epochs, batch=self.batch, lr=self.lr, latent=self.latent)

    def fit(self, examples: Batch, rng: Generator) -> Memory:
        classes = int(examples.labels.max()) + 1 if len(examples.labels) else 0
        coder = build_coder("cvae", examples.inputs, latent=self.latent, classes=classes)
        return fit_coder(coder, self, examples, player="cvae", rng=rng)

    def denoise(self, memory: Memory, inputs: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        # The decoder's first layer says how many labels there were.
        classes = memory["decoder.0.weight"].shape[1] - self.latent
        coder = build_coder("cvae", inputs, latent=self.latent, classes=classes)
        return reconstruct(coder, memory, Batch(inputs, labels))
