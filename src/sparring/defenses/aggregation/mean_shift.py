"""Mean shift with a flat kernel (Comaniciu & Meer, 2002): clusters are what moves to the same place."""

import torch
from torch import Tensor

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
