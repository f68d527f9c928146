import pytest
import torch

from sparring.inversion import anomaly_index, too_small


def test_the_index_is_the_distance_to_the_median_in_robust_deviations():
    norms = torch.tensor([1.0, 10.0, 11.0, 12.0, 13.0])
    expected = [10 / 1.4826, 1 / 1.4826, 0.0, 1 / 1.4826, 2 / 1.4826]
    assert anomaly_index(norms).tolist() == pytest.approx(expected)


def test_the_median_of_an_even_number_is_between_the_two_in_the_middle():
    expected = [3 / 2 / 1.4826, 1 / 2 / 1.4826, 1 / 2 / 1.4826, 7 / 2 / 1.4826]
    assert anomaly_index(torch.tensor([0.0, 2.0, 4.0, 10.0])).tolist() == pytest.approx(expected)


def test_without_any_deviation_only_what_is_elsewhere_is_anomalous():
    norms = torch.tensor([5.0, 5.0, 5.0, 4.0, 6.0])
    assert anomaly_index(norms).tolist() == [0, 0, 0, float("inf"), float("inf")]
    assert too_small(norms).tolist() == [False, False, False, True, False]


def test_only_norms_below_the_median_are_too_small():
    norms = torch.tensor([1.0, 10.0, 11.0, 12.0, 100.0])
    assert (anomaly_index(norms) > 2).tolist() == [True, False, False, False, True]
    assert too_small(norms).tolist() == [True, False, False, False, False]


def test_the_threshold_is_exclusive():
    norms = torch.tensor([1.0, 10.0, 11.0, 12.0, 13.0])
    index = anomaly_index(norms)[0].item()
    assert not too_small(norms, index).any()
    assert too_small(norms, 0.99 * index).tolist() == [True, False, False, False, False]
