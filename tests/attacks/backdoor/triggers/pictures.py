"""Images to put triggers on."""

import torch

from sparring.arrays import Batch
from sparring.random import stream

GRAY, COLOR = (1, 28, 28), (3, 32, 32)


def images(count: int, shape: tuple[int, int, int] = GRAY, *, seed: int = 0) -> torch.Tensor:
    """Draw images of noise."""
    return torch.from_numpy(stream(seed, "images").random((count, *shape))).float()


def batch(labels: list[int], shape: tuple[int, int, int] = GRAY) -> Batch:
    """Draw an image of noise for each label."""
    return Batch(images(len(labels), shape), torch.tensor(labels))


def painted(trigger, shape: tuple[int, int, int] = GRAY) -> set[tuple[int, int]]:
    """Return the pixels that a trigger turns from black to white, the same ones in all channels."""
    stamped = trigger.stamp(torch.zeros(1, *shape))[0]
    assert torch.equal(stamped, stamped[:1].expand(shape))
    assert set(stamped.unique().tolist()) <= {0.0, 1.0}
    return {tuple(place) for place in stamped[0].nonzero().tolist()}
