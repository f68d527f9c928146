from collections import Counter
from math import nan

import pytest
import torch

from sparring.defenses import Bucketing, CenteredClipping, FLTrust, Krum, Mean, TrimmedMean, bucketing
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.views import Notes, view
from tests.matrices import gaussian

POWERS = torch.tensor([[2.0**place] for place in range(7)])
"""The sum of some of these rows says which they are."""


def members(average: float, size: int) -> set[int]:
    total = round(average * size)
    return {place for place in range(len(POWERS)) if total & 1 << place}


def test_each_row_is_in_one_bucket():
    averages = bucketing(POWERS, 2, rng=stream(0, "buckets")).flatten().tolist()
    buckets = [members(average, size) for average, size in zip(averages, (2, 2, 2, 1), strict=True)]
    assert [len(bucket) for bucket in buckets] == [2, 2, 2, 1]
    assert Counter(place for bucket in buckets for place in bucket) == Counter(range(7))


def test_buckets_are_drawn():
    drawn = {tuple(bucketing(POWERS, 3, rng=stream(seed, "buckets")).flatten().tolist()) for seed in range(20)}
    assert len(drawn) > 10


@pytest.mark.parametrize("size", [7, 100])
def test_one_bucket_for_all_is_the_mean(size):
    torch.testing.assert_close(bucketing(POWERS, size, rng=stream(0)), POWERS.mean(dim=0, keepdim=True))


def test_rows_that_are_not_finite_are_in_no_bucket():
    updates = torch.cat([POWERS[:3], torch.full((2, 1), nan), POWERS[3:]])
    assert torch.equal(bucketing(updates, 2, rng=stream(0)), bucketing(POWERS, 2, rng=stream(0)))


def test_of_no_rows_there_are_no_buckets():
    assert bucketing(torch.empty(0, 3), 2, rng=stream(0)).shape == (0, 3)


@pytest.mark.parametrize("refused", [lambda: Bucketing(Mean(), size=0), lambda: bucketing(POWERS, 0, rng=stream(0))])
def test_a_bucket_holds_at_least_one_row(refused):
    with pytest.raises(ConfigError, match="^bucketing: size=0; use size >= 1$"):
        refused()


def test_the_published_size_is_2():
    assert Bucketing(Mean()).size == 2


@pytest.mark.parametrize("inner", [Krum(), TrimmedMean(), FLTrust()])
def test_a_bucket_is_lost_to_each_malicious_row(inner):
    rule = Bucketing(inner, size=3)
    assert rule.family == inner.family
    assert [rule.limit(clients) for clients in range(31)] == [inner.limit((clients + 2) // 3) for clients in range(31)]


def test_as_many_buckets_are_trimmed_as_rows_are_malicious():
    updates = gaussian(12, 3)
    averages = bucketing(updates, 2, rng=stream(0, "defense", 0))
    step, _ = Bucketing(TrimmedMean()).aggregate(view(updates, malicious=1), {})
    torch.testing.assert_close(step, averages.sort(dim=0).values[1:-1].mean(dim=0))


def test_the_record_is_told_of_the_rows_in_the_buckets():
    notes = Notes()
    step, _ = Bucketing(Krum()).aggregate(view(POWERS, note=notes), {})
    assert members(step.item(), len(notes["selected"])) == set(notes["selected"])


def test_the_rule_inside_keeps_its_memory():
    rule = Bucketing(CenteredClipping(radius=1.0), size=7)
    _, memory = rule.aggregate(view(POWERS), {})
    step, _ = rule.aggregate(view(POWERS), memory)
    assert (memory["center"].item(), step.item()) == (1.0, 2.0)
