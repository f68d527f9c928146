from itertools import product

import pytest
import torch

from sparring.attacks import ALittleIsEnough, InnerProduct, WorstOf
from sparring.attacks.untargeted.rule_simulation import simulate_rule
from sparring.attacks.untargeted.worst_of import Candidate, lines, most_harmful
from sparring.conformance.adversary import BENIGN, OWN, attacker_view, updates
from sparring.defenses import CenteredClipping, Krum, Mean, Median, TrimmedMean
from sparring.errors import ConfigError

RULES = [Mean(), Median(), TrimmedMean(), Krum(), CenteredClipping()]
GRID = (0.125, 0.5, 2.0, 8.0)


def harm(seen, row):
    """Return how far the rule's answer goes against the benign mean."""
    return -float(simulate_rule(seen)(row).double() @ seen.benign.double().mean(dim=0))


@pytest.mark.parametrize("factor", [0.3, 5.0])
def test_the_lines_are_the_two_attacks(factor):
    offered = lines(BENIGN)
    ipm, alie = (
        InnerProduct(scale=factor).craft(attacker_view())[0],
        ALittleIsEnough(z=factor).craft(attacker_view())[0],
    )
    torch.testing.assert_close(offered["ipm"].at(factor), ipm)
    torch.testing.assert_close(offered["alie"].at(factor), alie)


class TestSearch:
    @staticmethod
    def peak(at):
        return lambda candidate: -abs(candidate.factor - at)

    def test_the_best_of_the_grid_is_taken(self):
        grid = [Candidate("ipm", factor) for factor in GRID]
        assert most_harmful(self.peak(at=1.9), grid, refinements=0).factor == 2.0

    def test_equals_go_to_the_first(self):
        grid = [Candidate(kind, factor) for kind, factor in product(("ipm", "alie"), GRID)]
        assert most_harmful(lambda candidate: 0.0, grid, refinements=4) == grid[0]

    def test_refinements_look_at_both_sides_ever_closer(self):
        grid = [Candidate("ipm", factor) for factor in (1.0, 2.0, 4.0)]
        best = most_harmful(self.peak(at=2.5), grid, refinements=6)
        assert best.factor == pytest.approx(2.5, rel=0.02)


def test_against_the_mean_ipm_goes_as_far_as_it_may():
    attack = WorstOf(refinements=2)
    torch.testing.assert_close(
        attack.craft(attacker_view(rule=Mean())), InnerProduct(scale=32 * 2**0.75).craft(attacker_view())
    )


def test_a_median_that_answers_alike_to_all_gets_the_smallest_factor():
    benign = torch.tensor([[1.0], [2.0], [3.0]])
    # Of five values the median is the smallest benign one, 1, whatever lies below it.
    rows = WorstOf(of=("ipm",)).craft(attacker_view(benign, own=torch.zeros(2, 1), rule=Median()))
    torch.testing.assert_close(rows, torch.full((2, 1), -0.25))


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("refinements", [0, 3])
def test_no_factor_of_the_grid_does_more_harm(rule, refinements):
    seen = attacker_view(rule=rule)
    done = harm(seen, WorstOf(factors=GRID, refinements=refinements).craft(seen)[0])
    fixed = [attack(factor) for attack, factor in product((InnerProduct, lambda z: ALittleIsEnough(z=z)), GRID)]
    harms = [harm(seen, attack.craft(seen)[0]) for attack in fixed]
    if refinements == 0:
        assert done == pytest.approx(max(harms), rel=1e-5)
    assert done >= max(harms) - 1e-6 * abs(max(harms))


def test_refinements_find_a_factor_between_those_of_the_grid_that_krum_selects():
    seen = attacker_view(own=updates(6, "own"), rule=Krum(), assumed_malicious=4)
    coarse, fine = (WorstOf(factors=(0.125, 0.5), refinements=each).craft(seen)[0] for each in (0, 8))
    assert harm(seen, fine) > harm(seen, coarse)


def test_the_memory_of_the_rule_counts():
    fresh, drifted = ({}, {"center": 40 * BENIGN.mean(dim=0)})
    rows = [
        WorstOf().craft(attacker_view(rule=CenteredClipping(radius=0.1), memory=memory)) for memory in (fresh, drifted)
    ]
    assert not torch.equal(*rows)


def test_only_the_named_attacks_are_tried():
    rows = WorstOf(of=("alie",), factors=(1.5,), refinements=0).craft(attacker_view(rule=Mean()))
    torch.testing.assert_close(rows, ALittleIsEnough(z=1.5).craft(attacker_view()))


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(WorstOf().craft(attacker_view(benign=OWN[:0])), OWN)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": ()}, r"^worst_of\.of is \[\]; it must name one or both of: ipm, alie$"),
        ({"of": ("lmp",)}, r"^worst_of\.of is \['lmp'\]; it must name one or both of: ipm, alie$"),
        ({"factors": ()}, r"^worst_of\.factors is \[\]; it must hold positive and finite numbers$"),
        ({"factors": (1.0, 0.0)}, r"^worst_of\.factors is \[1.0, 0.0\]; it must hold positive and finite numbers$"),
        ({"factors": (float("nan"),)}, r"^worst_of\.factors is \[nan\]; it must hold positive and finite numbers$"),
        ({"refinements": -1}, r"^worst_of\.refinements is -1; it must be from 0 to 50$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        WorstOf(**settings)
