import pytest
import torch
from sklearn.cluster import MeanShift, estimate_bandwidth

from sparring.defenses.aggregation.toolkit.clustering import largest_cluster
from tests.matrices import gaussian


def scikit_learn(points: torch.Tensor) -> list[bool]:
    bandwidth = estimate_bandwidth(points.numpy(), quantile=0.5)
    labels = MeanShift(bandwidth=bandwidth, cluster_all=False).fit(points.numpy()).labels_
    return (torch.from_numpy(labels) == torch.from_numpy(labels[labels >= 0]).bincount().argmax()).tolist()


def test_the_larger_of_two_clusters_is_found():
    points = torch.tensor([[0.0], [9.0], [0.2], [0.1], [9.1], [30.0]], dtype=torch.float64)
    assert largest_cluster(points).tolist() == [True, False, True, True, False, False]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_equal_points_are_one_cluster(count):
    assert largest_cluster(torch.full((count, 3), 0.1, dtype=torch.float64)).tolist() == [True] * count


def test_of_equally_large_clusters_the_first_is_taken():
    points = torch.tensor([[5.0], [0.0], [5.0], [0.0]], dtype=torch.float64)
    assert largest_cluster(points).tolist() == [True, False, True, False]


def test_of_no_points_there_is_no_cluster():
    assert largest_cluster(torch.empty(0, 3, dtype=torch.float64)).tolist() == []


@pytest.mark.parametrize("name", [f"points {number}" for number in range(40)])
def test_it_is_the_cluster_that_scikit_learn_finds(name):
    points = gaussian(20, 3, name=name).double()
    points[12:] += 4
    assert largest_cluster(points).tolist() == scikit_learn(points)
