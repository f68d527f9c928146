import numpy as np
import pytest
import torch

from sparring.attacks.learned.acting import PortfolioActions
from sparring.attacks.learned.local_search import LocalSearch
from sparring.attacks.learned.portfolio import DIRECTIONS, Portfolio
from sparring.errors import ConfigError
from tests.attacks.views import LOGISTIC, view


def one(**settings):
    return Portfolio(**settings).craft(view())[0]


def only(name):
    return tuple(float(name == each) for each in DIRECTIONS)


def length():
    return torch.linalg.vector_norm(view().own(), dim=1).median()


def cosine(first, second):
    return torch.cosine_similarity(first, second, dim=0)


@pytest.mark.parametrize("weights", [only("local_search"), only("reverse_sign"), only("ascent"), (1.0, 2.0, 0.5, 0.1)])
def test_a_mixture_has_the_length_that_is_asked_for(weights):
    torch.testing.assert_close(torch.linalg.vector_norm(one(weights=weights, scale=3.0)), 3 * length())


@pytest.mark.parametrize(
    ("name", "submitted"),
    [
        ("local_search", LocalSearch(steps=10)),
        ("ascent", LocalSearch(steps=10, variant="ascent", stealth=0.5)),
    ],
)
def test_a_search_points_where_the_local_search_does(name, submitted):
    assert cosine(one(weights=only(name)), submitted.craft(view())[0]) > 0.99


def test_the_other_directions_are_the_own_mean_reversed_and_its_sign():
    mean = view().own().mean(dim=0)
    assert cosine(one(weights=only("reverse")), -mean) > 0.9999
    assert cosine(one(weights=only("reverse_sign")), -mean.sign()) > 0.9999


def test_a_center_adds_the_own_mean():
    mean = view().own().mean(dim=0)
    torch.testing.assert_close(one(weights=(0.0,) * 4, center=0.5), 0.5 * mean)
    moved = one(weights=only("reverse"), scale=2.0, center=1.0) - mean
    torch.testing.assert_close(moved, -2 * length() * mean / torch.linalg.vector_norm(mean))


def test_weights_of_zero_submit_nothing_harmful():
    assert one(weights=(0.0,) * 4).eq(0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": (1.0,)}, r"portfolio.weights is \[1.0\]; give 4 numbers"),
        ({"weights": (1.0, 0.0, 0.0, -1.0)}, "portfolio.weights"),
        ({"scale": -1.0}, "portfolio.scale is -1.0"),
        ({"center": float("nan")}, "portfolio.center is nan"),
    ],
)
def test_impossible_settings_are_rejected(settings, message):
    with pytest.raises(ConfigError, match=message):
        Portfolio(**settings)


def test_an_action_is_decoded_to_a_portfolio():
    acting = PortfolioActions(scale=(0.1, 10.0), steps=(1, 16))
    assert acting.size(LOGISTIC) == 7
    action = np.array([0.0, 0.0, 1.0, -0.5, 0.25, 0.0, 0.75], dtype=np.float32)
    assert acting.attack(action) == Portfolio(weights=(1.0, 0.0, 0.25, 0.0), scale=1.0, center=0.75, steps=4)


def test_a_portfolio_may_have_few_directions():
    pair = PortfolioActions(scale=(0.1, 10.0), steps=(1, 16), directions=("local_search", "reverse"))
    assert pair.size(LOGISTIC) == 5
    action = np.array([0.0, 0.0, 1.0, 0.25, 0.75], dtype=np.float32)
    assert pair.attack(action) == Portfolio(weights=(1.0, 0.25, 0.0, 0.0), scale=1.0, center=0.75, steps=4)
    single = PortfolioActions(scale=(0.1, 10.0), steps=(1, 16), directions=("reverse",))
    assert single.size(LOGISTIC) == 3
    assert single.attack(action[:3]) == Portfolio(weights=(0.0, 1.0, 0.0, 0.0), scale=1.0, center=1.0, steps=4)
    with pytest.raises(
        ConfigError, match=r"acting.directions is \['up'\]; give at least one of: local_search, reverse"
    ):
        PortfolioActions(directions=("up",))


def test_ranges_of_a_portfolio_begin_above_zero():
    with pytest.raises(ConfigError, match=r"acting.steps is \[0, 5\]"):
        PortfolioActions(steps=(0, 5))
