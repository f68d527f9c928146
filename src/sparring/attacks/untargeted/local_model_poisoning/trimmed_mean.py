"""Local model poisoning against coordinate-wise rules (Fang et al., 2020, section 4.3).

The paper uses local models w = w_t - u, so that raising a model's parameter means lowering the update. Every
coordinate is drawn independently for every row; values that overflow float32 become its largest number.
"""

import numpy as np
import torch

from sparring.arrays import Matrix, Vector
from sparring.attacks.untargeted.observed_updates import directions, moments
from sparring.random import Generator
from sparring.validation import check_matrix, check_vector


def beyond_range(benign: Matrix, parameters: Vector, *, rows: int, scale: float, rng: Generator) -> Matrix:
    """Draw updates beyond all benign ones, against the direction of the benign mean (full knowledge).

    On the side of the largest benign local model w this is the interval from w to `scale` * w if w > 0, else to
    w / `scale`; on the side of the smallest, from w to w / `scale` if w > 0, else to `scale` * w.
    """
    benign = check_matrix("beyond_range", benign, name="benign")
    parameters = check_vector("beyond_range", parameters, of=benign, name="parameters")
    reverse = -directions(benign)
    edge = torch.where(reverse > 0, benign.amax(dim=0), benign.amin(dim=0))
    local = parameters - edge
    leaves_zero = (local > 0) == (reverse < 0)
    width = local.abs() * torch.where(leaves_zero, scale - 1, 1 - 1 / scale)
    return _spread(edge, reverse * width.nan_to_num_(), rows=rows, rng=rng)


def beyond_deviation(own: Matrix, rng: Generator) -> Matrix:
    """Draw updates 3 to 4 standard deviations from the mean of `own`, against its direction (partial knowledge).

    One row is drawn per row of `own`. A single row has no deviation and is submitted unchanged.
    """
    own = check_matrix("beyond_deviation", own, name="own")
    reverse = -directions(own)
    mean, deviation = moments(own)
    nearest = (mean + 3 * reverse * deviation).float().nan_to_num_()
    return _spread(nearest, (reverse * deviation).float().nan_to_num_(), rows=len(own), rng=rng)


def _spread(start: Vector, width: Vector, *, rows: int, rng: Generator) -> Matrix:
    """Draw rows uniformly between `start` and `start + width`."""
    share = torch.from_numpy(rng.random((rows, len(start)), dtype=np.float32)).to(start.device)
    return share.mul_(width).add_(start).nan_to_num_()
