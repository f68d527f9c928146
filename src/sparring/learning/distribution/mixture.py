"""The learned mixture: what was reconstructed, and what the attackers hold themselves (RLA, section 4.2)."""

import torch

from sparring.arrays import Batch, pixels


def learned_mixture(reconstructed: Batch, own: Batch) -> Batch:
    """Return the reconstructed images with their labels, and the attackers' own examples, pixels in [0, 1]."""
    inputs = torch.cat([pixels(reconstructed.inputs), pixels(own.inputs)])
    return Batch(inputs, torch.cat([reconstructed.labels, own.labels]))
