"""Generation: more examples from the few that a server holds, and generative models that denoise."""

from sparring.generation.adversarial import GAN
from sparring.generation.augmentation import Augmentation
from sparring.generation.variational import CVAE, VAE
from sparring.registry import Table

DENOISERS: Table = {
    "cvae": CVAE,
    "ddpm": "sparring.integrations.diffusion:DDPM",
    "gan": GAN,
    "vae": VAE,
}
"""The generative models of the defense `generative`; `ddpm` needs an extra."""

__all__ = ["CVAE", "DENOISERS", "GAN", "VAE", "Augmentation"]
