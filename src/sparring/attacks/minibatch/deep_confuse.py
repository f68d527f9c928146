"""Deep Confuse (Feng et al., 2019): an autoencoder makes the perturbations, trained before the first round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from sparring.arrays import Batch, pixels
from sparring.contracts import Memory, MinibatchView, Preparation
from sparring.errors import ConfigError
from sparring.models.autoencoder import (
    Weights,
    apply_module,
    build_decoder,
    build_encoder,
    check_image_shape,
    draw_tensors,
)
from sparring.training.bounds import Norm, check_norm, clip_to_pixels, unit_rows
from sparring.validation import at_least, positive

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


@dataclass(frozen=True)
class DeepConfuse:
    r"""Perturb by an autoencoder that learned which perturbations of training examples spoil a training.

    $$\max_\xi L_{\theta'}(x), \quad \theta' = \theta - \alpha \nabla_\theta L_\theta(x + \epsilon\, g_\xi(x))$$

    Before the first round, `trials` short trainings of the learner's network are simulated from new initial parameters,
    on minibatches perturbed by the autoencoder g as it was at the trial's start. After each minibatch g takes one step
    up the loss on the clean minibatch, of the model one gradient step later. The architecture of g is that of the VAE
    defense: convolutions with 16 and 32 channels, `latent` numbers, and convolutions with 32 and 16 channels.
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    trials: int = 20
    """Simulated trainings; 500 are published."""
    steps: int = 100
    """Minibatches of each simulated training."""
    latent: int = 20
    """Numbers between encoder and decoder."""
    lr: float = 1e-3
    """The autoencoder's learning rate, with Adam; the simulated learner has that of the learner."""
    norm: Norm = "l2"
    """The norm that is bounded: Euclidean, or the largest change of a pixel."""
    learns_beforehand: ClassVar[bool] = True
    paper: ClassVar[str] = (
        "Feng, Cai & Zhou, 2019, Learning to confuse: generating training time adversarial data with auto-encoder, "
        "NeurIPS"
    )
    cost: ClassVar[str] = "O(trials steps) trained minibatches before the first round"
    assumption: ClassVar[str] = "the attacker has all training examples, and the learner trains as its simulation"

    def __post_init__(self) -> None:
        positive("deep_confuse", epsilon=self.epsilon, lr=self.lr)
        at_least(1, "deep_confuse", trials=self.trials, steps=self.steps, latent=self.latent)
        check_norm("deep_confuse", self.norm)

    def prepare(self, preparation: Preparation) -> Memory:
        """Return the autoencoder's parameters."""
        train = preparation.train
        if train is None or not len(train.labels):
            raise ConfigError("deep_confuse: there are no training examples; give it those that the learner trains on")
        module = self._autoencoder(train.inputs)
        drawn = draw_tensors(module, preparation.rng)
        weights = {name: tensor.to(train.inputs.device).requires_grad_() for name, tensor in drawn.items()}
        ascent = torch.optim.Adam(weights.values(), lr=self.lr)
        for _ in range(self.trials):
            self._simulate_training(preparation, train, module=module, weights=weights, ascent=ascent)
        return {name: tensor.detach() for name, tensor in weights.items()}

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        if not memory:
            raise ConfigError("deep_confuse: its autoencoder is not trained; call prepare before the first round")
        with torch.no_grad():
            return self._confuse(self._autoencoder(view.batch.inputs), memory, view.batch.inputs), memory

    def _autoencoder(self, inputs: Tensor) -> nn.Module:
        shape = check_image_shape("deep_confuse", inputs.shape[1:])
        return nn.Sequential(build_encoder(shape, self.latent), nn.ReLU(), build_decoder(self.latent, shape))

    def _confuse(self, module: nn.Module, weights: Weights, inputs: Tensor) -> Tensor:
        """Return the perturbed inputs, differentiable in the weights: signs are replaced by tanh."""
        raw = apply_module(module, weights, inputs)
        return clip_to_pixels(inputs + self.epsilon * (raw.tanh() if self.norm == "linf" else unit_rows(raw)))

    @torch.enable_grad()
    def _simulate_training(
        self,
        preparation: Preparation,
        train: Batch,
        *,
        module: nn.Module,
        weights: dict[str, Tensor],
        ascent: torch.optim.Optimizer,
    ) -> None:
        """Train a new model for some minibatches, and move the autoencoder's `weights` after each."""
        network, objective, recipe = preparation.network, preparation.objective, preparation.recipe
        fixed = {name: tensor.detach().clone() for name, tensor in weights.items()}
        start = network.initial(preparation.rng).to(train.inputs.device)
        leaves = [tensor.clone().requires_grad_() for tensor in network.split(start)]
        learner = OPTIMIZERS[recipe.optimizer](leaves, lr=recipe.lr)  # type: ignore[call-arg]

        def mean_loss(tensors: Sequence[Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
            return objective.losses(network.forward(tensors, inputs), Batch(inputs, labels)).mean()

        for inputs, labels in self._minibatches(train, preparation):
            confused = mean_loss(leaves, self._confuse(module, weights, inputs), labels)
            slopes = torch.autograd.grad(confused, leaves, create_graph=True)
            ahead = [leaf.detach() - recipe.lr * slope for leaf, slope in zip(leaves, slopes, strict=True)]
            ascent.zero_grad()
            # The learning rate only scales the slope, which would vanish beside the constant in Adam's denominator.
            (-mean_loss(ahead, inputs, labels) / recipe.lr).backward(inputs=list(weights.values()))
            ascent.step()
            with torch.no_grad():
                perturbed = self._confuse(module, fixed, inputs)
            learner.zero_grad()
            mean_loss(leaves, perturbed, labels).backward(inputs=leaves)
            learner.step()

    def _minibatches(self, train: Batch, preparation: Preparation) -> Iterator[Batch]:
        size = min(preparation.recipe.batch, len(train.labels))
        for _ in range(self.steps):
            rows = torch.from_numpy(preparation.rng.choice(len(train.labels), size, replace=False))
            rows = rows.to(train.labels.device)
            yield Batch(pixels(train.inputs[rows]), train.labels[rows])
