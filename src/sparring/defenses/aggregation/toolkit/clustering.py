"""Clustering of updates: the densest majority, and mean shift."""

import torch
from torch import Tensor


def densest_majority(distances: Tensor) -> Tensor:
    """Return a boolean per point: whether it belongs to the first single-linkage cluster with more than half of them.

    It equals the cluster of HDBSCAN (Campello et al., 2013) with a minimum cluster size of n // 2 + 1, `min_samples` 1
    and a single cluster allowed: a majority cannot split into two, and points that join it later are noise.
    """
    needed = len(distances) // 2
    if needed == 0:
        return distances.new_ones(len(distances), dtype=torch.bool)
    order, heights = _nearest_first(distances)
    # Prim's order visits a cluster contiguously: it is a run of low heights.
    highest = heights.unfold(0, needed, 1).amax(dim=1)
    members = distances.new_zeros(len(distances), dtype=torch.bool)
    for start in (highest == highest.min()).nonzero().flatten().tolist():
        members[order[start : start + needed + 1]] = True
    return members


def _nearest_first(distances: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points in Prim's order, with the length of the edge that each step adds."""
    reach = distances[0].clone()
    order, heights = [0], []
    for _ in range(len(distances) - 1):
        reach[order] = torch.inf
        order.append(int(reach.argmin()))
        heights.append(reach[order[-1]])
        reach = torch.minimum(reach, distances[order[-1]])
    return distances.new_tensor(order, dtype=torch.int64), torch.stack(heights)


ITERATIONS = 300
"""Far more iterations than mean shift needs to converge for points of few dimensions."""
TINY = 1e-9
"""Replaces a bandwidth of zero, so that points that differ only by rounding still form one cluster."""


def largest_cluster(points: Tensor) -> Tensor:
    """Return a boolean per point: whether it belongs to the largest cluster; ties go to the first.

    The bandwidth is the average distance of a point to the nearest half of all points, including itself. Points farther
    than that from every center belong to no cluster.
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
    """Return the modes that mean shift converges to, most points first, without those close to an earlier one."""
    modes = points
    for _ in range(ITERATIONS):
        near = (_distances(modes, points) <= bandwidth).double()
        before, modes = modes, near @ points / near.sum(dim=1, keepdim=True)
        if torch.equal(before, modes):
            break
    crowds = (_distances(modes, points) <= bandwidth).sum(dim=1)
    waiting = modes[crowds.argsort(descending=True, stable=True)]
    centers = []
    while len(waiting):
        centers.append(waiting[:1])
        waiting = waiting[_distances(waiting, centers[-1]).flatten() > bandwidth]
    return torch.cat(centers)
