from dataclasses import dataclass, fields
from itertools import pairwise

import pytest

from sparring.contracts import BlackBoxView, OmniscientView, WhiteBoxView, own_malicious

VIEWS = (BlackBoxView, WhiteBoxView, OmniscientView)


def shown(view: type) -> set[str]:
    return {field.name for field in fields(view)}


@pytest.mark.parametrize(("less", "more"), list(pairwise(VIEWS)))
def test_each_view_contains_the_next_weaker_one(less, more):
    assert issubclass(more, less)
    assert shown(less) < shown(more)


def test_a_black_box_view_shows_neither_the_rule_nor_the_benign():
    assert shown(BlackBoxView).isdisjoint({"rule", "assumed_malicious", "benign", "memory", "root"})


def test_a_white_box_view_shows_the_rule_but_not_the_benign():
    assert "rule" in shown(WhiteBoxView)
    assert shown(WhiteBoxView).isdisjoint({"benign", "benign_clients", "memory", "root"})


@dataclass(frozen=True)
class Counting:
    malicious: int | None = None


@dataclass(frozen=True)
class Wrapping:
    inner: object


@dataclass(frozen=True)
class WrappingAndCounting:
    inner: object
    malicious: int | None = None


@pytest.mark.parametrize(
    ("rule", "own"),
    [
        (object(), None),
        (Counting(), None),
        (Counting(0), 0),
        (Wrapping(object()), None),
        (Wrapping(Wrapping(Counting(3))), 3),
        (WrappingAndCounting(Counting(3)), 3),
        (WrappingAndCounting(Counting(3), 0), 0),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_outermost_count_is_the_rule_s_own(rule, own):
    assert own_malicious(rule) == own
