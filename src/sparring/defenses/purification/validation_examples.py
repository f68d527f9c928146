"""Validation examples among what a learner trains on."""

import torch

from sparring.arrays import Batch
from sparring.contracts import MinibatchView
from sparring.errors import ConfigError


def draw_validation(player: str, view: MinibatchView, size: int) -> Batch:
    """Return at most `size` different validation examples."""
    count = len(view.validation.labels)
    if count == 0:
        raise ConfigError(f"{player}: there are no validation examples to train on; set data.validation above 0")
    rows = torch.from_numpy(view.rng.choice(count, min(size, count), replace=False)).to(view.validation.labels.device)
    return Batch(view.validation.inputs[rows], view.validation.labels[rows])
