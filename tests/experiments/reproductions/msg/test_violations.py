from math import exp

import pytest
import torch

from sparring.experiments.reproductions.msg.rates import STEP
from sparring.experiments.reproductions.msg.violations import (
    CASES,
    HALF,
    LEARNERS,
    WELLS,
    Case,
    evaluate,
    learn,
    measure_case,
    measure_coins,
    measure_drift,
    pair,
)
from sparring.games.exact.springs import Springs

THETAS = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64)


def test_a_settled_game_is_worth_what_the_formula_says():
    game = Springs(HALF)
    found = evaluate(CASES["nothing"], THETAS, adapts=True)
    assert found.tolist() == pytest.approx([game.value(theta[None], STEP) for theta in THETAS])


def test_without_adaptation_nobody_can_mislead():
    fixed = [evaluate(CASES[name], THETAS, adapts=False) for name in ("nothing", "type plays another", "type misleads")]
    assert torch.equal(fixed[0], fixed[1])
    assert torch.equal(fixed[0], fixed[2])


def test_whoever_may_mislead_does_the_leader_no_good():
    honest = evaluate(CASES["nothing"], THETAS, adapts=True)
    for name in ("type plays another", "type misleads"):
        misled = evaluate(CASES[name], THETAS, adapts=True)
        assert (misled <= honest).all()
        assert (misled < honest - 0.01).any()


def test_no_misleading_strategy_between_the_extremes_is_worse():
    theta, kind = torch.full((41,), 0.3, dtype=torch.float64), HALF[1]
    shown = torch.linspace(-1.0, 1.0, 41, dtype=torch.float64)
    moved = theta + STEP * (-kind.stiffness * (theta - kind.rest) + kind.coupling * shown)
    worth = [float(kind.leader(end[None], kind.answer(end[None]))) for end in moved]
    alone = Case((kind,), (kind,), "anything")
    assert evaluate(alone, theta[:1], adapts=True).item() == pytest.approx(min(worth))


def test_priors_weigh_types():
    first, second = (evaluate(Case(HALF, (kind,)), THETAS, adapts=True) for kind in HALF)
    mixed = evaluate(Case(HALF, pair(0.9)), THETAS, adapts=True)
    assert mixed.tolist() == pytest.approx((0.9 * first + 0.1 * second).tolist())


def test_the_meta_equilibrium_is_best_where_nothing_fails_and_worst_against_a_type_that_conceals_itself():
    honest, concealed = (measure_case(CASES[name]) for name in ("nothing", "type plays another"))
    assert honest["meta"] == pytest.approx(honest["best"], abs=1e-6)
    assert concealed["meta"] == min(concealed[name] for name in LEARNERS)
    assert concealed["Bayesian"] == pytest.approx(concealed["best fixed"], abs=1e-6)
    assert concealed["best fixed"] > concealed["best"]


def test_a_follower_in_the_worse_well_stays_there():
    state = learn(LEARNERS["Bayesian"], WELLS)
    assert all(float(phi) > 0.5 for phi in state.followers)


def test_a_drift_is_worth_at_most_the_best_of_each_time():
    found = measure_drift(3)
    assert max(found[name] for name in LEARNERS if name != "Bayesian") <= found["best"]
    assert found["Bayesian"] <= found["best fixed"]


def test_a_coin_that_first_shows_the_other_side():
    honest, concealed = measure_coins(2.0)
    assert honest["adapted"] == pytest.approx(2 / (1 + exp(-1)))
    assert honest["adapted"] + concealed["adapted"] == pytest.approx(2)
    assert (honest["fixed"], honest["by belief"]) == pytest.approx((1, 1.5))
    assert (concealed["fixed"], concealed["by belief"]) == pytest.approx((1, 0.5))
