"""The mixture of all clients' data, learned from the global models that some clients receive.

`measures` compares it with the true mixture; it is not imported here, because importing POT takes a second.
"""

from sparring.learning.distribution.denoising import Denoiser, Denoising, train_denoiser
from sparring.learning.distribution.leaked_gradients import (
    EstimatedGradient,
    ObservedModel,
    estimated_gradients,
    observed_models,
    step_size,
)
from sparring.learning.distribution.reconstruction import DistributionLearning, learned_mixture, reconstructed

__all__ = [
    "Denoiser",
    "Denoising",
    "DistributionLearning",
    "EstimatedGradient",
    "ObservedModel",
    "estimated_gradients",
    "learned_mixture",
    "observed_models",
    "reconstructed",
    "step_size",
    "train_denoiser",
]
