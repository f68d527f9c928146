"""The mixture of all clients' data, learned from the global models that some of them are sent.

How near it is to the true one is for `measures` to say, which is not imported here: POT takes a second to import.
"""

from sparring.learning.distribution.denoising import Denoiser, Denoising, train_denoiser
from sparring.learning.distribution.mixture import learned_mixture
from sparring.learning.distribution.reconstructing import DistributionLearning, reconstructed
from sparring.learning.distribution.sightings import Leak, Sighting, leaks, sightings, step_size

__all__ = [
    "Denoiser",
    "Denoising",
    "DistributionLearning",
    "Leak",
    "Sighting",
    "leaks",
    "learned_mixture",
    "reconstructed",
    "sightings",
    "step_size",
    "train_denoiser",
]
