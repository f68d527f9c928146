"""Generative denoising: a model of clean examples replaces what may be perturbed."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Batch, pixels
from sparring.contracts import InputDenoiser, Memory, MinibatchView, Preparation, Purified
from sparring.errors import ConfigError
from sparring.training.bounds import Norm, bounded_inputs, check_norm
from sparring.validation import positive


@dataclass(frozen=True)
class GenerativeDenoising:
    r"""Move each input to what a generative model makes of it, by at most `epsilon`.

    $$x'' = \Pi_{\lVert x'' - x' \rVert \le \epsilon}\, G(x')$$

    The model learns from the validation examples before the first round and is fixed from then on. The bound is that of
    all transformations in R2T2; a model whose images are nearer than that is followed all the way.
    """

    denoiser: InputDenoiser
    """The generative model: `vae`, `cvae`, `gan` or `ddpm`, with its options."""
    epsilon: float = 3.0
    """The largest norm of each example's change; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    norm: Norm = "l2"
    """The norm that is bounded: Euclidean, or the largest change of a pixel."""
    learns_beforehand: ClassVar[bool] = True
    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )
    cost: ClassVar[str] = "that of its denoiser"
    assumption: ClassVar[str] = "the validation examples are clean and enough to learn a generative model from"

    def __post_init__(self) -> None:
        positive("generative", epsilon=self.epsilon)
        check_norm("generative", self.norm)

    def prepare(self, preparation: Preparation) -> Memory:
        """Return the tensors of the generative model."""
        inputs, labels = preparation.validation
        return self.denoiser.fit(Batch(pixels(inputs), labels), preparation.rng)

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        if not memory:
            raise ConfigError("generative: its denoiser is not trained; call prepare before the first round")
        inputs, labels = view.batch
        denoised = self.denoiser.denoise(memory, inputs, labels, view.rng)
        moved = bounded_inputs(inputs, denoised, epsilon=self.epsilon, norm=self.norm)
        return Purified(Batch(moved, labels)), memory
