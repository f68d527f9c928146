"""Denoising diffusion (Ho et al., 2020) through the library diffusers, which the extra `diffusion` installs."""

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import mse_loss, pad

from sparring.arrays import Batch
from sparring.contracts import Memory
from sparring.errors import ConfigError
from sparring.generation.fitting import Minimization, Tensors, check_fitting, draw_normal, minibatches
from sparring.models.autoencoder import check_image_shape, draw_tensors
from sparring.random import Generator
from sparring.registry import import_member
from sparring.validation import at_least, positive

HALVINGS = 2
"""How often the network halves an image; images are padded to sides that allow it."""
GROUPS = 4
"""Groups of channels that are normalized together."""
NETWORK, SCHEDULE = "diffusers:UNet2DModel", "diffusers:DDIMScheduler"
FIRST_BETA = 1e-4


@dataclass(frozen=True)
class DDPM:
    """Replace each input by what reverse diffusion makes of it, in a few deterministic steps (DDIM, Song et al., 2021).

    As R2T2 has it, the variance of the noise grows linearly in `timesteps` steps from 1e-4 to ε² over the number of
    values, and the perturbed image is taken for the last of them. The network is a U-Net with residual blocks of
    `width`, 2 `width` and 2 `width` channels; pixels stay in [0, 1]. All timesteps of each image are published; here
    some of them are left out.
    """

    epsilon: float = 3.0
    """ε: the norm of the perturbation that shall be removed, from which the noise follows."""
    timesteps: int = 500
    """T: steps of the diffusion that the network learns."""
    steps: int = 5
    """Steps of the reverse diffusion, at most `timesteps`."""
    noised: bool = False
    """Whether an input is first scaled and noised like the images that the network learned from at the last step."""
    width: int = 16
    """Channels of the network's first convolution, a multiple of 4."""
    epochs: int = 10
    """Passes over the examples."""
    batch: int = 50
    """Examples of a minibatch."""
    lr: float = 1e-3
    """The learning rate, with Adam."""
    paper: ClassVar[str] = "Ho, Jain & Abbeel, 2020, Denoising diffusion probabilistic models, NeurIPS"
    cost: ClassVar[str] = "O(steps) passes through a U-Net per example"
    assumption: ClassVar[str] = "the perturbation resembles Gaussian noise of the same norm"

    def __post_init__(self) -> None:
        check_fitting("ddpm", epochs=self.epochs, batch=self.batch, lr=self.lr)
        positive("ddpm", epsilon=self.epsilon)
        at_least(2, "ddpm", timesteps=self.timesteps)
        if not 1 <= self.steps <= self.timesteps:
            raise ConfigError(f"ddpm: steps={self.steps}; use steps >= 1 and at most timesteps ({self.timesteps})")
        if self.width < GROUPS or self.width % GROUPS:
            raise ConfigError(f"ddpm: width={self.width}; use a positive multiple of {GROUPS}")

    def fit(self, examples: Batch, rng: Generator) -> Memory:
        shape = check_image_shape("ddpm", examples.inputs.shape[1:])
        network, schedule = self._network(shape[0]), self._schedule(examples.inputs)
        start = {name: tensor.to(examples.inputs.device) for name, tensor in draw_tensors(network, rng).items()}
        descent = Minimization(start, lr=self.lr)
        for inputs, _ in minibatches("ddpm", examples, epochs=self.epochs, batch=self.batch, rng=rng):
            times = torch.from_numpy(rng.integers(self.timesteps, size=len(inputs))).to(inputs.device)
            noise = draw_normal(tuple(inputs.shape), rng, like=inputs)
            descent.step(partial(_noise_error, network), schedule.add_noise(inputs, noise, times), times, noise)
        return descent.result()

    @torch.no_grad()
    def denoise(self, memory: Memory, inputs: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        network, schedule = self._network(inputs.shape[1]), self._schedule(inputs)
        schedule.set_timesteps(self.steps)
        images = inputs
        if self.noised:
            noise = draw_normal(tuple(inputs.shape), rng, like=inputs)
            images = schedule.add_noise(inputs, noise, schedule.timesteps[:1].expand(len(inputs)))
        for time in schedule.timesteps:
            noise = predict_noise(network, memory, images, time.expand(len(images)).to(images.device))
            images = schedule.step(noise, time, images).prev_sample
        return images

    def _network(self, channels: int) -> nn.Module:
        wide = 2 * self.width
        with torch.device("meta"):
            built: nn.Module = _import(NETWORK)(
                in_channels=channels,
                out_channels=channels,
                block_out_channels=(self.width, wide, wide),
                down_block_types=("DownBlock2D",) * (HALVINGS + 1),
                up_block_types=("UpBlock2D",) * (HALVINGS + 1),
                layers_per_block=1,
                norm_num_groups=GROUPS,
                add_attention=False,
            )
        return built.eval()

    def _schedule(self, inputs: Tensor) -> Any:
        last = self.epsilon**2 / inputs[0].numel()
        if not FIRST_BETA < last < 1:
            raise ConfigError(
                f"ddpm: epsilon={self.epsilon} gives noise of variance {last:g} in {inputs[0].numel()} values; "
                f"it must be above {FIRST_BETA:g} and below 1"
            )
        return _import(SCHEDULE)(
            num_train_timesteps=self.timesteps,
            beta_start=FIRST_BETA,
            beta_end=last,
            beta_schedule="linear",
            clip_sample=False,
            timestep_spacing="trailing",
        )


def predict_noise(network: nn.Module, tensors: Tensors, images: Tensor, times: Tensor) -> Tensor:
    """Return the noise that the network sees in images at these timesteps."""
    height, width = images.shape[2:]
    unit = 2**HALVINGS
    padded = pad(images, (0, -width % unit, 0, -height % unit))
    seen: Tensor = functional_call(network, dict(tensors), (padded, times)).sample
    return seen[:, :, :height, :width]


def _noise_error(network: nn.Module, tensors: Tensors, images: Tensor, times: Tensor, noise: Tensor) -> Tensor:
    return mse_loss(predict_noise(network, tensors, images, times), noise)


def _import(path: str) -> Any:
    """Return a class of diffusers; without the library, say what to install."""
    if find_spec("diffusers") is None:
        raise ConfigError('ddpm: diffusers is not installed; use pip install "sparring[diffusion]"')
    return import_member(path)
