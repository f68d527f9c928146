"""The densest majority: what HDBSCAN finds when a cluster must hold more than half of the points."""

import torch
from torch import Tensor


def densest_majority(distances: Tensor) -> Tensor:
    """Return which points belong to the first single-linkage cluster with more than half of them, as a boolean each.

    It is the one cluster of HDBSCAN (Campello et al., 2013) with n // 2 + 1 points at least, each point dense by itself
    (`min_samples` 1) and a single cluster allowed: no majority splits into two, and what joins it later is noise.
    """
    needed = len(distances) // 2
    if needed == 0:
        return distances.new_ones(len(distances), dtype=torch.bool)
    order, heights = _nearest_first(distances)
    # Whatever is linked up to a height, is visited in one go: a cluster is a run of low heights.
    highest = heights.unfold(0, needed, 1).amax(dim=1)
    members = distances.new_zeros(len(distances), dtype=torch.bool)
    for start in (highest == highest.min()).nonzero().flatten().tolist():
        members[order[start : start + needed + 1]] = True
    return members


def _nearest_first(distances: Tensor) -> tuple[Tensor, Tensor]:
    """Visit the points in Prim's order, and return it with the distance that each step bridges."""
    reach = distances[0].clone()
    order, heights = [0], []
    for _ in range(len(distances) - 1):
        reach[order] = torch.inf
        order.append(int(reach.argmin()))
        heights.append(reach[order[-1]])
        reach = torch.minimum(reach, distances[order[-1]])
    return distances.new_tensor(order, dtype=torch.int64), torch.stack(heights)
