"""Clusters of updates: the densest majority, and mean shift."""

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


ITERATIONS = 300
"""Far more than points in the low dimensions of a few statistics need to come to rest."""
TINY = 1e-9
"""Stands for a bandwidth of zero: points that are equal but for rounding still belong together."""


def largest_cluster(points: Tensor) -> Tensor:
    """Return which points belong to the cluster with the most, as a boolean each; of equally large ones the first.

    The bandwidth is the average distance of a point to the nearest half of all, itself among them. Points farther from
    every center than that belong to no cluster.
    """
    if len(points) == 0:
        return points.new_ones(0, dtype=torch.bool)
    bandwidth = _distances(points, points).sort(dim=1).values[:, max(0, len(points) // 2 - 1)].mean().clamp(min=TINY)
    distances = _distances(points, _centers(points, bandwidth))
    labels = torch.where(distances.amin(dim=1) <= bandwidth, distances.argmin(dim=1), distances.shape[1])
    return labels == labels[labels < distances.shape[1]].bincount().argmax()


def _distances(points: Tensor, others: Tensor) -> Tensor:
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")


def _centers(points: Tensor, bandwidth: Tensor) -> Tensor:
    """Return where points come to rest, the most crowded place first, without those within reach of an earlier one."""
    places = points
    for _ in range(ITERATIONS):
        near = (_distances(places, points) <= bandwidth).double()
        before, places = places, near @ points / near.sum(dim=1, keepdim=True)
        if torch.equal(before, places):
            break
    crowds = (_distances(places, points) <= bandwidth).sum(dim=1)
    waiting = places[crowds.argsort(descending=True, stable=True)]
    centers = []
    while len(waiting):
        centers.append(waiting[:1])
        waiting = waiting[_distances(waiting, centers[-1]).flatten() > bandwidth]
    return torch.cat(centers)
