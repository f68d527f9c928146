"""The published search for min-max and min-sum, played on the updates themselves."""

from collections.abc import Callable

import torch
from hypothesis import strategies as st

from sparring.arrays import Matrix
from sparring.random import stream

SEEDS = st.integers(0, 2**32)
DIRECTIONS = st.sampled_from(["unit", "sign", "std"])


def drawn(seed: int) -> Matrix:
    """Draw two to eight updates of one to six parameters that agree more or less, far from zero or around it."""
    rng = stream(seed, "round")
    rows, width = rng.integers(2, 9), rng.integers(1, 7)
    shared, spread = rng.normal(size=width), rng.uniform(0.1, 5)
    return torch.from_numpy(rng.uniform(0.1, 10) * (shared + spread * rng.normal(size=(rows, width)))).float()


def distances(ones: Matrix, others: Matrix) -> Matrix:
    """Return squared distances, pair by pair from their differences in float64."""
    return (ones.double()[:, None] - others.double()[None]).square().sum(dim=2)


def farthest(benign: Matrix, direction: str, admits: Callable[[Matrix], bool]) -> Matrix:
    """Double the step along the direction while `admits` takes the update, then bisect to the last bit."""
    exact = benign.double()
    mean = exact.mean(dim=0)
    subtracted = {"unit": mean / mean.norm(), "sign": mean.sign(), "std": exact.std(dim=0)}[direction]
    low, high = 0.0, 1.0
    while admits(mean - high * subtracted):
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if admits(mean - middle * subtracted) else (low, middle)
    return (mean - low * subtracted).float()
