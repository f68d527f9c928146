import pytest
import torch
from sklearn.cluster import HDBSCAN

from sparring.defenses.aggregation.toolkit.clustering import densest_majority
from tests.matrices import gaussian


def hdbscan(distances: torch.Tensor) -> list[bool]:
    size = len(distances) // 2 + 1
    clusters = HDBSCAN(
        min_cluster_size=size, min_samples=1, metric="precomputed", allow_single_cluster=True, copy=True
    ).fit(distances.numpy())
    return (clusters.labels_ == 0).tolist()


def on_a_line(*places: float) -> torch.Tensor:
    points = torch.tensor(places, dtype=torch.float64)
    return (points - points[:, None]).abs()


def test_the_first_cluster_with_a_majority_by_hand():
    # Steps of 1 link three of six, the step of 2 the fourth; 10 and 20 join later.
    assert densest_majority(on_a_line(0, 10, 1, 2, 20, 4)).tolist() == [True, False, True, True, False, True]


def test_all_that_joins_at_the_same_distance_belongs():
    assert densest_majority(on_a_line(0, 1, 2, 3, 4, 9)).tolist() == [True] * 5 + [False]


@pytest.mark.parametrize("clients", [0, 1, 2])
def test_of_few_points_all_belong(clients):
    assert densest_majority(torch.ones(clients, clients)).tolist() == [True] * clients


def test_equal_points_outnumber_others():
    assert densest_majority(on_a_line(5, 0, 0, 0, 7)).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("name", [f"points {number}" for number in range(100)])
@pytest.mark.parametrize("clients", [2, 3, 10, 25])
def test_it_is_the_cluster_that_scikit_learn_finds(name, clients):
    points = gaussian(clients, 4, name=name).double()
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    assert densest_majority(distances).tolist() == hdbscan(distances)
