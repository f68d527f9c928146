import pytest
import torch
from hypothesis import given

from sparring.defenses.aggregation.toolkit.arithmetic import middle
from tests.matrices import matrices


@pytest.mark.parametrize(("values", "expected"), [([], 0), ([3.0], 3), ([5.0, 1.0], 3), ([9.0, 1.0, 2.0], 2)])
def test_the_median_by_hand(values, expected):
    assert middle(torch.tensor(values, dtype=torch.float64)).item() == expected


@given(matrices())
def test_the_median_is_taken_over_the_first_dimension(values):
    expected = values.double().quantile(0.5, dim=0, interpolation="midpoint")
    torch.testing.assert_close(middle(values.double()), expected)
