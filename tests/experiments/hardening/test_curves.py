"""Learning curves of a hardening, and their picture."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.experiments.hardening.curves import LearningCurves, choose_span, draw_curves, list_names, read_curves
from sparring.experiments.hardening.report import Made, hardening_page
from tests.experiments.hardening.asking import hardened, request

CURVES = (
    LearningCurves("The best constant action", "generation", {"constant action": [10.0, 12.0, 14.0]}),
    LearningCurves("The policy", "iteration", {"policy": [13.0, 13.0]}),
)


def record(folder, returns):
    folder.mkdir(parents=True)
    (folder / "returns.json").write_text(json.dumps(returns))


def test_curves_are_those_that_were_recorded(tmp_path):
    record(tmp_path / "constant", [1.0, 2.0])
    record(tmp_path / "policy", [1.0])
    record(tmp_path / "followers" / "rl-on-Krum", [0.5, 0.6, 0.7])
    attackers, constant = read_curves(tmp_path, ["rl on Krum", "brl on Krum"])
    assert attackers.returns == {"rl on Krum": [0.5, 0.6, 0.7]}
    assert constant.returns == {"constant action": [1.0, 2.0]}
    assert list_names([attackers, constant]) == ("rl on Krum", "constant action")


def test_a_picture_has_the_range_of_its_own_returns():
    constant, policy = draw_curves(CURVES)
    assert [tick.label for tick in constant.accuracies] == ["10", "11", "12", "13", "14"]
    assert constant.description == "Mean return over generations; after the last one: constant action 14.000"
    assert [tick.label for tick in policy.accuracies] == ["13", "13.01", "13.02", "13.03", "13.04"]
    assert constant.lines[0].style != policy.lines[0].style


@pytest.mark.parametrize(
    ("low", "high", "span"),
    [(0, 1, (0, 1)), (0.003, 0.102, (0, 0.2)), (-0.325, 0.4, (-0.4, 0.4)), (3, 6, (3, 7)), (0, 5.1, (0, 8))],
)
def test_an_axis_has_four_round_parts(low, high, span):
    assert choose_span(low, high) == pytest.approx(span)


@given(low=st.floats(-1e4, 1e4), width=st.floats(0, 1e4))
def test_an_axis_covers_its_values(low, width):
    begin, end = choose_span(low, low + width)
    assert begin <= low <= low + width <= end
    assert end - begin <= max(20 * width, 0.2)


@pytest.mark.parametrize("curves", [CURVES, ()])
def test_the_page_shows_what_was_recorded(curves):
    done = hardened()
    page = hardening_page(Made(request(), done.plan, done.verdict, {"defense": {"name": "median"}}, {}, curves))
    assert page.count("<figure>") == len(curves)
    assert ("Mean return over the course of training" in page) is bool(curves)
