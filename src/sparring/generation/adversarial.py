"""Defense-GAN (Samangouei et al., 2018): the nearest image that a generator can make."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sparring.arrays import Batch
from sparring.contracts import Memory
from sparring.generation.fitting import Minimization, Tensors, check_fitting, draw_normal, minibatches
from sparring.models.autoencoder import apply_module, build_decoder, build_encoder, check_image_shape, draw_tensors
from sparring.random import Generator
from sparring.validation import at_least, positive

BETAS = (0.5, 0.999)
"""Adam's decay rates for both networks (Radford et al., 2016)."""


def generate(generator: nn.Module, tensors: Tensors, latent: Tensor) -> Tensor:
    """Return images in [0, 1]."""
    return apply_module(generator, tensors, latent).sigmoid()


def distances(images: Tensor, inputs: Tensor) -> Tensor:
    """Return the squared Euclidean distance of each image from its input."""
    return (images - inputs).flatten(1).square().sum(dim=1)


@dataclass(frozen=True)
class GAN:
    """Replace each input by the nearest image of a generator, found by a few gradient steps on its latent numbers.

    The generator is the decoder of the VAE, and the discriminator its encoder with one output; both take one step per
    minibatch, the generator down the non-saturating loss. The search starts from the nearest of `starts` random codes
    for each input, and keeps the nearest image that it meets.
    """

    latent: int = 20
    """Numbers that the generator makes an image of."""
    epochs: int = 60
    """Passes over the examples."""
    batch: int = 50
    """Examples of a minibatch."""
    lr: float = 1e-3
    """The learning rate of both networks, with Adam."""
    starts: int = 8
    """Random codes that are tried for each input; 10 searches are published, each from one."""
    steps: int = 20
    """Gradient steps on the codes; 200 are published."""
    search_lr: float = 0.1
    """The learning rate of the search, with Adam."""
    paper: ClassVar[str] = (
        "Samangouei, Kabkab & Chellappa, 2018, Defense-GAN: protecting classifiers against adversarial attacks using "
        "generative models, ICLR"
    )
    cost: ClassVar[str] = "O(starts + steps) passes through the generator per example"
    assumption: ClassVar[str] = "clean images are near the generator's, and perturbed ones are not"

    def __post_init__(self) -> None:
        check_fitting("gan", epochs=self.epochs, batch=self.batch, lr=self.lr, latent=self.latent)
        at_least(1, "gan", starts=self.starts)
        at_least(0, "gan", steps=self.steps)
        positive("gan", search_lr=self.search_lr)

    def fit(self, examples: Batch, rng: Generator) -> Memory:
        """Return the generator's tensors; the discriminator is not needed any more."""
        shape = check_image_shape("gan", examples.inputs.shape[1:])
        generator, discriminator = build_decoder(self.latent, shape), build_encoder(shape, 1)
        maker, judge = (
            Minimization(_moved(draw_tensors(module, rng), examples.inputs), lr=self.lr, betas=BETAS)
            for module in (generator, discriminator)
        )

        def unmask(tensors: Tensors, real: Tensor, fakes: Tensor) -> Tensor:
            scores = (apply_module(discriminator, tensors, images) for images in (real, fakes))
            return softplus(-next(scores)).mean() + softplus(next(scores)).mean()

        def deceive(tensors: Tensors, codes: Tensor) -> Tensor:
            return softplus(-apply_module(discriminator, judge.tensors, generate(generator, tensors, codes))).mean()

        for inputs, _ in minibatches("gan", examples, epochs=self.epochs, batch=self.batch, rng=rng):
            codes = draw_normal((len(inputs), self.latent), rng, like=inputs)
            judge.step(unmask, inputs, generate(generator, maker.tensors, codes).detach())
            maker.step(deceive, codes)
        return maker.result()

    def denoise(self, memory: Memory, inputs: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        generator = build_decoder(self.latent, check_image_shape("gan", inputs.shape[1:]))
        search = Minimization({"codes": self._nearest_starts(generator, memory, inputs, rng)}, lr=self.search_lr)

        def images() -> Tensor:
            with torch.no_grad():
                return generate(generator, memory, search.tensors["codes"])

        best = images()
        for _ in range(self.steps):
            search.step(lambda tensors: distances(generate(generator, memory, tensors["codes"]), inputs).sum())
            met = images()
            is_nearer = distances(met, inputs) < distances(best, inputs)
            best = torch.where(is_nearer[:, None, None, None], met, best)
        return best

    @torch.no_grad()
    def _nearest_starts(self, generator: nn.Module, memory: Memory, inputs: Tensor, rng: Generator) -> Tensor:
        codes = draw_normal((self.starts, len(inputs), self.latent), rng, like=inputs)
        apart = torch.stack([distances(generate(generator, memory, each), inputs) for each in codes])
        return codes[apart.argmin(dim=0), torch.arange(len(inputs), device=inputs.device)]


def _moved(tensors: Tensors, like: Tensor) -> dict[str, Tensor]:
    return {name: tensor.to(like.device) for name, tensor in tensors.items()}
