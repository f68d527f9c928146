import pytest
import torch

from sparring.defenses import Clipped, ClippedTrimmedMean, FLTrust, GradedTrust, Mean, TrimmedMean
from sparring.defenses.aggregation.toolkit.arithmetic import (
    inner_mean,
    weighted_inner_mean,
    weighted_inner_mean_by_torch,
)
from sparring.errors import ConfigError
from tests.defenses.views import view

WITHOUT = {"trust": 0.0, "lift": 0.0}


def normal(seed, rows=9, columns=700):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.rand(rows, 1, generator=generator) + 0.5
    return torch.randn(rows, columns, generator=generator) * lengths + 0.3


def step(rule, updates, root=None):
    return rule.aggregate(view(updates, root=updates.new_ones(updates.shape[1]) if root is None else root), {})[0]


@pytest.mark.parametrize(
    ("fixed", "graded"),
    [
        (Mean(), GradedTrust(**WITHOUT, max_norm=1e6)),
        (TrimmedMean(2), GradedTrust(**WITHOUT, max_norm=1e6, trim=0.45)),
        (Clipped(Mean(), 20.0), GradedTrust(**WITHOUT, max_norm=20.0, relative=False)),
        (ClippedTrimmedMean(20.0, 0.7), GradedTrust(**WITHOUT, max_norm=20.0, trim=0.7, relative=False)),
        (ClippedTrimmedMean(0.8, 0.7, relative=True), GradedTrust(**WITHOUT, max_norm=0.8, trim=0.7)),
        (FLTrust(), GradedTrust(max_norm=1.0, power=1.0)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("seed", range(3))
def test_fixed_rules_are_cases_of_it(fixed, graded, seed):
    updates = normal(seed)
    torch.testing.assert_close(step(graded, updates), step(fixed, updates))


def test_a_bound_may_be_relative_to_the_median_norm():
    updates = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-6.0, 0.0]])
    expected = torch.tensor([(1 - 2) / 3, 2 / 3])
    torch.testing.assert_close(step(ClippedTrimmedMean(1.0, 0.0, relative=True), updates), expected)
    nothing = torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0]])
    assert step(ClippedTrimmedMean(1.0, 0.0, relative=True), nothing).tolist() == [0, 0]


def test_a_threshold_and_a_power_choose_whom_to_trust():
    updates = torch.tensor([[2.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])
    root = torch.tensor([1.0, 0.0])
    # The cosines are 1, .6, 0 and -1.
    half = step(GradedTrust(max_norm=1.0, threshold=0.2, power=2.0), updates, root)
    torch.testing.assert_close(half, (0.64 * torch.tensor([1.0, 0.0]) + 0.16 * torch.tensor([0.6, 0.8])) / 0.8)
    alike = step(GradedTrust(max_norm=1.0, threshold=-0.5, power=0.0), updates, root)
    torch.testing.assert_close(alike, torch.tensor([1.6, 1.8]) / 3)


def test_short_rows_are_lifted_as_far_as_asked():
    updates, root = torch.tensor([[0.25, 0.0], [0.25, 0.0]]), torch.tensor([1.0, 0.0])
    steps = [step(GradedTrust(max_norm=1.0, lift=lift), updates, root)[0].item() for lift in (0.0, 0.5, 1.0)]
    assert steps == pytest.approx([0.25, 0.5, 1])


def test_trust_leads_from_the_mean_to_the_trusted_rows():
    updates, root = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), torch.tensor([1.0, 0.0])
    partly = step(GradedTrust(trust=0.25, max_norm=1.0), updates, root)
    torch.testing.assert_close(partly, 0.75 * updates.mean(dim=0) + 0.25 * updates[0])


def test_only_rows_that_are_kept_are_trimmed():
    updates = torch.tensor([[1.0, 0.2], [1.0, 0.4], [1.0, 0.6], [1.0, 3.0], [-1.0, -9.0], [-1.0, 9.0]])
    root = torch.tensor([1.0, 0.1])
    rule = GradedTrust(max_norm=1e3, lift=0.0, power=0.0, trim=0.5)
    # Four rows are kept and one on a side is trimmed: half the rows would be, had the last two been counted.
    assert step(rule, updates, root)[1].item() == pytest.approx(0.5)


def test_without_a_root_update_nothing_is_trusted():
    for root in (torch.zeros(700), torch.full((700,), torch.nan)):
        assert not step(GradedTrust(trust=0.5), normal(0), root).any()


@pytest.mark.parametrize("seed", range(6))
def test_a_weighted_trim_is_the_same_on_every_device(seed):
    generator = torch.Generator().manual_seed(seed)
    ties, weights = torch.randint(-3, 4, (9, 700), generator=generator), torch.rand(9, generator=generator).double()
    updates = ties.float() if seed % 2 else normal(seed)
    weights[seed] = 0
    rows, shares = weights.nonzero().flatten(), weights / weights.sum()
    factors = torch.rand(9, generator=generator).double()
    scaled = (updates * factors[:, None]).float()[rows]
    expected = weighted_inner_mean_by_torch(scaled, shares[rows], trim=2)
    torch.testing.assert_close(weighted_inner_mean(updates, shares, factors=factors, trim=2), expected.float())
    torch.testing.assert_close(
        weighted_inner_mean(updates, torch.full((9,), 1 / 9).double(), factors=torch.ones(9), trim=3),
        inner_mean(updates, 3),
    )


def test_values_that_are_equal_at_the_edge_share_what_is_trimmed():
    column, weights = torch.tensor([[0.0], [0.0], [1.0], [2.0]]), torch.tensor([0.1, 0.3, 0.2, 0.4]).double()
    # One of the two zeros is trimmed: half of each weight, .2, remains beside the .2 of the one.
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        average = weighted_inner_mean(column[order], weights[order], factors=torch.ones(4), trim=1)
        assert average.item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trust": 1.5}, "trust=1.5; use trust from 0 to 1"),
        ({"lift": -1.0}, "lift=-1.0; use lift from 0 to 1"),
        ({"trim": 1.0}, "trim=1.0; use trim from 0 to below 1"),
        ({"threshold": 1.0}, "threshold=1.0; use threshold from -1 to below 1"),
        ({"max_norm": 0.0}, "max_norm=0.0; use a finite max_norm > 0"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=f"^graded_trust: {message}$"):
        GradedTrust(**wrong)
