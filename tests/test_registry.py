from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, Literal, Protocol

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sparring.errors import ConfigError, UnknownName
from sparring.registry import build, lookup, nearest, normalize_name


class Rule(Protocol):
    """Stands for a contract of the package."""


@dataclass(frozen=True)
class Mean:
    family: ClassVar[str] = "coordinate"


@dataclass(frozen=True)
class TrimmedMean:
    trim: int = 1
    weights: tuple[float, ...] = ()
    exact: bool = True
    form: Literal["auto", "plain"] = "auto"
    tolerance: float | None = None

    def __post_init__(self) -> None:
        if self.trim < 0:
            raise ConfigError(f"trim is {self.trim}; it must be at least 0")


@dataclass(frozen=True, kw_only=True)
class Clipped:
    max_norm: float
    inner: Rule = field(default_factory=Mean)
    derived: float = field(init=False, default=0.0)


@dataclass(frozen=True)
class Informed:
    clients: int
    rounds: int = 10


RULES = {
    "mean": Mean,
    "trimmed_mean": TrimmedMean,
    "clipped": Clipped,
    "informed": Informed,
    "fraction": "fractions:Fraction",
}


def made(section, **facts):
    return build("defense", RULES, section, **facts)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"name": "mean"}, Mean()),
        ({"name": "trimmed_mean"}, TrimmedMean()),
        ({"name": "trimmed-mean", "trim": 2}, TrimmedMean(trim=2)),
        ({"name": "Trimmed-Mean"}, TrimmedMean()),
        ("trimmed_mean", TrimmedMean()),
        ({"name": "clipped", "max_norm": 2, "inner": "trimmed_mean"}, Clipped(max_norm=2.0, inner=TrimmedMean())),
        ({"name": "trimmed_mean", "weights": [1, 0.5]}, TrimmedMean(weights=(1.0, 0.5))),
        ({"name": "trimmed_mean", "tolerance": None}, TrimmedMean()),
        ({"name": "clipped", "max_norm": 2}, Clipped(max_norm=2.0)),
        (
            {"name": "clipped", "max_norm": 1.0, "inner": {"name": "trimmed_mean", "trim": 3}},
            Clipped(max_norm=1.0, inner=TrimmedMean(trim=3)),
        ),
    ],
)
def test_a_section_builds_the_object_that_it_names(section, expected):
    assert made(section) == expected


def test_a_whole_number_becomes_a_float_where_one_is_wanted():
    assert isinstance(made({"name": "clipped", "max_norm": 2}).max_norm, float)


def test_the_section_is_left_as_it_was():
    section = {"name": "clipped", "max_norm": 1.0, "inner": {"name": "trimmed_mean"}}
    made(section)
    assert section == {"name": "clipped", "max_norm": 1.0, "inner": {"name": "trimmed_mean"}}


def test_facts_fill_what_the_section_leaves_out_at_any_depth():
    assert made({"name": "informed"}, clients=5) == Informed(clients=5)
    assert made({"name": "informed", "clients": 3}, clients=5) == Informed(clients=3)
    assert made({"name": "clipped", "max_norm": 1.0, "inner": {"name": "informed"}}, clients=5).inner == Informed(5)
    assert made({"name": "mean"}, clients=5) == Mean()


def test_a_costly_class_is_imported_when_it_is_named():
    assert lookup("defense", RULES, "fraction") is Fraction


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"name": "trimed_mean"}, "unknown defense 'trimed_mean'; did you mean 'trimmed_mean'?"),
        ({"name": "trimmed-meen"}, "unknown defense 'trimmed-meen'; did you mean 'trimmed_mean'?"),
        ({"name": "xyz"}, "unknown defense 'xyz'; known: mean, trimmed_mean, clipped, informed, fraction"),
        ({"name": "trimmed_mean", "trimm": 1}, "defense 'trimmed_mean' has no option 'trimm'; did you mean 'trim'?"),
        ({"name": "informed", "zzz": 1}, "defense 'informed' has no option 'zzz'; its options: clients, rounds"),
        ({"name": "mean", "trim": 1}, "defense 'mean' has no option 'trim'; it has none"),
        ({"name": "mean", "family": "root"}, "defense 'mean' has no option 'family'; it has none"),
        ({"name": "mean", 7: 1}, "defense 'mean' has no option 7; it has none"),
        (
            {"name": "clipped", "max_norm": 1.0, "derived": 1.0},
            "defense 'clipped' has no option 'derived'; its options: max_norm, inner",
        ),
        (
            {"name": "clipped", "max_norm": 1.0, "inner": {"name": "meen"}},
            "unknown defense.inner 'meen'; did you mean 'mean'?",
        ),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_one(section, message):
    with pytest.raises(UnknownName) as raised:
        made(section)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "defense.name is missing; it must be one of: mean, trimmed_mean, clipped, informed, fraction"),
        ({"name": 3}, "defense.name is 3; it must be one of: mean, trimmed_mean, clipped, informed, fraction"),
        (3, "defense is 3; it must be a section with a name"),
        ({"name": "clipped", "max_norm": 1.0, "inner": 3}, "defense.inner is 3; it must be a section with a name"),
        ({"name": "clipped"}, "defense 'clipped' lacks 'max_norm'; set defense.max_norm"),
        ({"name": "informed"}, "defense 'informed' lacks 'clients'; set defense.clients"),
        ({"name": "trimmed_mean", "trim": -1}, "trim is -1; it must be at least 0"),
    ],
)
def test_a_section_that_is_incomplete_or_contradictory_is_refused(section, message):
    with pytest.raises(ConfigError) as raised:
        made(section)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("trim", "two", "a whole number"),
        ("trim", 1.0, "a whole number, as in 1"),
        ("trim", True, "a whole number"),
        ("trim", None, "a whole number"),
        ("weights", 1.0, "a list"),
        ("weights", [1.0, "x"], "a number"),
        ("weights", [1.0, float("inf")], "a finite number"),
        ("exact", 1, "true or false"),
        ("form", "fast", "'auto' or 'plain'"),
        ("tolerance", float("nan"), "a finite number"),
        ("tolerance", {"name": "mean"}, "a number"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_right_one(option, value, wanted):
    with pytest.raises(ConfigError) as raised:
        made({"name": "trimmed_mean", option: value})
    assert str(raised.value) == f"defense.{option} is {value!r}; it must be {wanted}"


@given(st.text())
def test_no_name_is_ever_taken_for_code(name):
    assume(normalize_name(name) not in RULES)
    with pytest.raises(UnknownName):
        lookup("defense", RULES, name)


@pytest.mark.parametrize("word", ["krum", "", 3])
def test_nothing_is_offered_for_a_word_like_no_other(word):
    assert nearest(word, ["median"]) == ""
