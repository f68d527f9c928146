"""The server's correction of an aggregate along its own update."""

import pytest
import torch

from sparring.conformance.server import defender_view
from sparring.contracts import needs_root_data
from sparring.defenses import Mean, Median, RootCorrection, TrimmedMean
from sparring.errors import ConfigError
from sparring.federation import Scenario
from tests.settings import small_federation

UPDATES = torch.tensor([[1.0, 2.0], [3.0, -2.0], [2.0, 9.0]])
ROOT = torch.tensor([0.0, -4.0])


def step(rule, root=ROOT):
    return rule.aggregate(defender_view(UPDATES, root=lambda: root), {})[0]


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 2.0])
def test_the_aggregate_moves_along_the_server_s_update_by_its_length_times_epsilon(epsilon):
    moved = step(RootCorrection(Median(), epsilon)) - step(Median())
    torch.testing.assert_close(moved, epsilon * ROOT)


@pytest.mark.parametrize("root", [torch.tensor([0.0, float("inf")]), torch.tensor([float("nan"), 1.0])])
def test_an_update_of_the_server_that_is_not_finite_corrects_nothing(root):
    assert torch.equal(step(RootCorrection(Mean()), root), step(Mean()))


def test_attacks_see_the_family_of_the_rule_inside_and_root_data_are_needed():
    rule = RootCorrection(TrimmedMean())
    assert rule.family == TrimmedMean().family
    assert rule.limit(9) == TrimmedMean().limit(9)
    assert needs_root_data(rule)
    with pytest.raises(ConfigError, match=r"^defense RootCorrection needs root data; use data\.root_size >= 1$"):
        Scenario(small_federation(root=None), rule)


def test_a_negative_epsilon_is_refused():
    with pytest.raises(ConfigError, match=r"^root_correction"):
        RootCorrection(Mean(), -1.0)
