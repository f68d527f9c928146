import numpy as np
import pytest
import torch

from sparring.defenses import (
    Clipped,
    ClippedTrimmedMean,
    FLTrust,
    GradedTrust,
    Mean,
    NeuroClip,
    NoRepair,
    Prun,
    TrimmedMean,
)
from sparring.defenses.learned.actions import DefenseActions, SynthesisActions
from sparring.errors import ConfigError
from tests.defenses.views import view


def posture(*numbers, **ranges):
    return DefenseActions(**ranges).decode(np.array(numbers, dtype=np.float32))


def test_an_action_sets_the_norm_the_trim_and_the_strength_of_the_repair():
    rule, repair = posture(0, 0, 0, max_norm=(0.1, 10), trim=(0, 0.8), bound=(1, 9))
    assert (rule.max_norm, rule.trim, repair.bound) == (pytest.approx(1), pytest.approx(0.4), pytest.approx(3))


def test_what_lies_outside_is_cut_off():
    rule, repair = posture(-7, 7, 7, max_norm=(0.1, 10), trim=(0, 0.8), bound=(1, 9))
    assert (rule.max_norm, rule.trim, repair.bound) == (pytest.approx(0.1), pytest.approx(0.8), pytest.approx(9))


def test_the_repair_is_chosen_beforehand():
    assert isinstance(posture(0, 0, 0).repair, NeuroClip)
    assert posture(0, 0, 1, repair="prun", share=(0, 0.5)).repair == Prun(0.5)
    assert posture(0, 0, repair="none").repair == NoRepair()
    assert [DefenseActions(repair=repair).size for repair in ("none", "prun", "neuroclip")] == [2, 3, 3]


def test_the_published_norm_may_be_relative():
    assert posture(0, 0, 0, relative=True).rule.relative
    assert not posture(0, 0, 0).rule.relative


def synthesis(*numbers, **ranges):
    return SynthesisActions(**ranges).decode(np.array(numbers, dtype=np.float32))


def test_a_synthesis_sets_all_numbers_of_graded_trust():
    rule, repair = synthesis(0, -1, 1, 1, 0, -0.5, 1, bound=(1, 9))
    expected = GradedTrust(max_norm=1.0, trim=0.0, trust=1.0, lift=1.0, threshold=0.0, power=1.0)
    assert rule == expected
    assert repair.bound == pytest.approx(9)
    assert [SynthesisActions(repair=each).size for each in ("none", "prun", "neuroclip")] == [6, 7, 7]


@pytest.mark.parametrize(
    ("fixed", "action", "ranges"),
    [
        (Mean(), (1, -1, -1, -1, 0, 0), {}),
        (TrimmedMean(3), (1, 1, -1, -1, 0, 0), {"trim": (0.0, 0.6)}),
        (Clipped(Mean(), 10.0), (1, -1, -1, -1, 0, 0), {"relative": False}),
        (FLTrust(), (0, -1, 1, 1, 0, -0.5), {}),
    ],
    ids=repr,
)
def test_fixed_rules_are_constant_actions_of_a_synthesis(fixed, action, ranges):
    updates, root = torch.randn(10, 500, generator=torch.Generator().manual_seed(0)) + 0.2, torch.ones(500)
    rule, repair = synthesis(*action, repair="none", **ranges)
    seen = view(updates, root=root)
    torch.testing.assert_close(rule.aggregate(seen, {})[0], fixed.aggregate(seen, {})[0])
    assert repair == NoRepair()


def test_root_data_are_needed_only_where_they_may_count():
    assert SynthesisActions().needs_root
    assert not SynthesisActions(trust=(0.0, 0.0)).needs_root
    assert [DefenseActions(repair=repair).needs_root for repair in ("none", "prun", "neuroclip")] == [
        False,
        True,
        False,
    ]


def test_updates_are_clipped_before_each_coordinate_is_trimmed():
    updates = torch.tensor([[3.0, 4.0], [0.0, 0.1], [0.1, 0.0], [-0.3, 0.0]])
    # The first row is shortened to (0.6, 0.8); half of .5 of four rows is one on each side.
    expected = torch.tensor([0.05, 0.05])
    torch.testing.assert_close(ClippedTrimmedMean(max_norm=1.0, trim=0.5).aggregate(view(updates), {})[0], expected)


def test_one_value_is_left_however_much_is_trimmed():
    updates = torch.tensor([[1.0], [2.0], [9.0]])
    assert ClippedTrimmedMean(max_norm=100.0, trim=0.99).aggregate(view(updates), {})[0].item() == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClippedTrimmedMean(0.0, 0.1), "clipped_trimmed_mean: max_norm=0.0; use a finite max_norm > 0"),
        (lambda: ClippedTrimmedMean(1.0, 1.0), "clipped_trimmed_mean: trim=1.0; use trim from 0 to below 1"),
        (lambda: DefenseActions(max_norm=(0, 1)), r"acting.max_norm is \[0, 1\]; it must rise from above 0"),
        (lambda: DefenseActions(trim=(0.5, 1)), r"acting.trim is \[0.5, 1\]; it must rise from at least 0 to below 1"),
        (
            lambda: SynthesisActions(trust=(0, 2)),
            r"acting.trust is \[0, 2\]; it must rise from at least 0 to at most 1",
        ),
        (lambda: DefenseActions(repair="drop"), "acting.repair is 'drop'; it must be none, neuroclip or prun"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        make()


@pytest.mark.parametrize("acting", [DefenseActions(), SynthesisActions(repair="prun")], ids=["published", "synthesis"])
def test_fixed_rules_are_actions_where_a_search_can_begin(acting):
    plans = {name: acting.decode(action) for name, action in acting.anchors.items()}
    assert plans["mean"].rule.max_norm == pytest.approx(acting.max_norm[1])
    assert plans["mean"].rule.trim == 0
    assert plans["trimmed_mean"].rule.trim == pytest.approx(0.4)
    assert all(len(action) == acting.size for action in acting.anchors.values())


def test_a_synthesis_has_rules_that_trust_the_server():
    rules = {name: SynthesisActions().decode(action).rule for name, action in SynthesisActions().anchors.items()}
    assert rules["fltrust"].trust == rules["fltrust"].lift == 1
    assert rules["graded_trust"].power == pytest.approx(GradedTrust().power)
    assert rules["graded_trust"].max_norm == pytest.approx(GradedTrust().max_norm)
