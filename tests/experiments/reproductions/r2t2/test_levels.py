"""Figures 6, 7 and A.9 of R2T2, played at the smallest scale, and what their claims compare."""

import pytest

from sparring.experiments.analysis.claims import judge_claim
from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.r2t2.fig6 import OC, cnn_claims, logistic_claims, name_damped
from sparring.experiments.reproductions.r2t2.fig7 import CIFAR10, FINITE, LEVELS, MNIST, claims, name_level
from sparring.experiments.reproductions.reproduce import reproduce
from tests.experiments.frames import made_frame

NAMES = ("r2t2-fig6a", "r2t2-fig6b", "r2t2-figa9")


@pytest.mark.parametrize("name", NAMES)
def test_it_plays_at_the_smoke_scale(name, tmp_path):
    result = reproduce(PRESETS[name], "smoke", folder=tmp_path)
    assert len(result.runs) == len(result.plan.cells)
    assert result.runs["accuracy"].notna().all()
    assert result.runs["gradient_norm"].notna().all() == name.startswith("r2t2-fig6")
    assert {judgment.verdict for judgment in result.judgments} == {"not judged"}


def matrix(accuracy):
    """Return three equal seeds of each pair of levels, from a function of the levels."""
    cells = {
        (name_level("attack", attack), name_level("defense", defense)): [accuracy(attack, defense)] * 3
        for attack in LEVELS
        for defense in LEVELS
    }
    return made_frame(cells)


@pytest.mark.parametrize(
    ("accuracy", "verdicts"),
    [
        (lambda attack, defense: 0.9 if defense or not attack else 0.2, ["holds"] * 4),
        (
            lambda attack, defense: 0.9 - 0.1 * attack * (defense == 0),
            ["holds", "holds", "does not hold", "does not hold"],
        ),
        (lambda attack, defense: 0.5 + 0.05 * attack, ["does not hold", "holds", "does not hold", "holds"]),
        (lambda attack, defense: 0.5 - 0.05 * defense, ["holds", "does not hold", "does not hold", "holds"]),
    ],
    ids=["as published", "steady", "an attacker that harms itself", "a defender that harms itself"],
)
def test_the_matrix_is_judged_in_the_sense_of_each_side(accuracy, verdicts):
    judged = [judge_claim(claim, matrix(accuracy)).verdict for claim in claims("laptop")]
    assert judged == verdicts


def test_above_level_1_players_search_and_the_attacker_alone_has_a_history():
    attack, defense = MNIST.player(3, momentum=0.9), CIFAR10.player(3)
    assert attack["method"] == defense["method"] == "descent"
    assert (attack["step"], FINITE.player(3)["step"]) == ("infinite", pytest.approx(1 / 3))
    assert (attack["smoothness"], defense["smoothness"]) == (0.203, 0.351)
    assert "momentum" not in defense
    assert MNIST.player(1) == {"name": "level_k", "level": 1, "epsilon": 3.0}


@pytest.mark.parametrize(("made", "count"), [(logistic_claims, 2), (cnn_claims, 3)])
def test_both_attacks_with_an_inverse_are_compared_at_equal_damping(made, count):
    found = made("laptop")
    assert len(found) == count
    for claim in found[1:]:
        for statement in claim.statements:
            first, second = (cell["attack"].split(", ") for cell in statement.cells)
            assert first[1] == second[1]
            assert first[0] != second[0]


def test_a_damping_is_told_in_the_label():
    assert name_damped(OC, 1e-3) == "OC, λ = 0.001"
