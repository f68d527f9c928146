from dataclasses import fields

import pytest
import torch

from sparring.contracts import is_oracle, own_malicious
from sparring.defenses import DEFENSES, Bucketing, Clipped, Krum, Mean, NearestNeighborMixing, TrimmedMean, trimmed_mean
from sparring.errors import ConfigError
from sparring.registry import build
from tests.defenses.views import view
from tests.matrices import gaussian

WRAPPERS = {"nearest_neighbor_mixing": {"inner": {"name": "trimmed_mean"}}}
COUNTING = [name for name, cls in DEFENSES.items() if "malicious" in [field.name for field in fields(cls)]]
"""All rules that can be set to a number of malicious rows."""


def rule(name, malicious):
    return build("defense", DEFENSES, {"name": name, "malicious": malicious, **WRAPPERS.get(name, {})})


def test_the_rules_that_count_are_known():
    assert set(COUNTING) == {"bulyan", "dnc", "krum", "multi_krum", "nearest_neighbor_mixing", "trimmed_mean"}


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("malicious", [0, 1, 2])
def test_an_oracle_goes_by_what_it_is_told_in_each_round(name, malicious):
    updates = gaussian(11, 5)
    told, _ = rule(name, "sampled").aggregate(view(updates, malicious=malicious), {})
    set_to, _ = rule(name, malicious).aggregate(view(updates, malicious=malicious), {})
    assert torch.equal(told, set_to)


@pytest.mark.parametrize("name", COUNTING)
def test_an_oracle_that_is_told_more_than_it_can_bear_lowers_the_count(name):
    updates = gaussian(11, 5)
    told, _ = rule(name, "sampled").aggregate(view(updates, malicious=11), {})
    most, _ = rule(name, rule(name, None).limit(11)).aggregate(view(updates), {})
    assert torch.equal(told, most)


@pytest.mark.parametrize("name", COUNTING)
def test_another_word_than_sampled_is_refused(name):
    with pytest.raises(ConfigError, match=r"^defense\.malicious is 'true'; it must be a whole number or 'sampled'$"):
        rule(name, "true")
    with pytest.raises(ConfigError, match=rf"^{name}: malicious='true'; use a number, sampled or null$"):
        DEFENSES[name](**{"malicious": "true", **({"inner": Mean()} if name in WRAPPERS else {})})


def test_trimming_at_the_true_count_by_hand():
    updates = torch.tensor([[0.0], [1.0], [2.0], [3.0], [100.0]])
    steps = [TrimmedMean("sampled").aggregate(view(updates, malicious=told), {})[0].item() for told in (0, 1, 2)]
    assert steps == pytest.approx([21.2, 2.0, 2.0])
    assert trimmed_mean(updates, 1).item() == 2.0


@pytest.mark.parametrize(
    ("wrapped", "oracle"),
    [
        (Krum(), False),
        (Krum(2), False),
        (Krum("sampled"), True),
        (Clipped(Krum("sampled")), True),
        (Bucketing(Clipped(Krum("sampled"))), True),
        (NearestNeighborMixing(Krum("sampled"), 1), True),
        (Mean(), False),
    ],
    ids=repr,
)
def test_a_rule_is_an_oracle_if_any_rule_within_it_is(wrapped, oracle):
    assert is_oracle(wrapped) == oracle


def test_an_oracle_within_mixing_of_a_fixed_count_is_still_told_the_truth():
    updates = gaussian(11, 5)
    mixing = NearestNeighborMixing(TrimmedMean("sampled"), 1)
    assert own_malicious(mixing) == 1
    told, _ = mixing.aggregate(view(updates, malicious=3), {})
    expected, _ = NearestNeighborMixing(TrimmedMean(3), 1).aggregate(view(updates), {})
    assert torch.equal(told, expected)
