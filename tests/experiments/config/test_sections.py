from dataclasses import dataclass, field
from typing import Annotated

import pytest
from pydantic import Field

from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.sections import fill_defaults, parse_section, split_member_options, subsection
from sparring.registry import ADDED_LATER


@dataclass(frozen=True)
class Plain:
    size: int = 3
    weights: tuple[float, ...] = (1.0, 2.0)
    made: int = field(init=False, default=0)


TABLE = {"plain": Plain, "also_plain": Plain, "costly": "fractions:Fraction"}


@dataclass(frozen=True)
class Settings:
    clients: Annotated[int, Field(ge=1)]
    rate: float = 0.5


def test_a_section_that_is_missing_or_null_is_empty():
    assert subsection({}, "data") == {}
    assert subsection({"data": None}, "data") == {}
    assert subsection({"data": {"name": "mnist"}}, "data") == {"name": "mnist"}


def test_a_section_is_no_list():
    with pytest.raises(ConfigError, match="data is \\[1\\]; it must be a section"):
        subsection({"data": [1]}, "data")


def test_every_option_is_written_out_under_the_shortest_name():
    assert fill_defaults("rule", TABLE, section={"name": "also-plain"}) == {
        "name": "plain",
        "size": 3,
        "weights": [1.0, 2.0],
    }
    assert fill_defaults("rule", TABLE, section={"name": "plain", "weights": [1]})["weights"] == [1.0]


def test_an_option_that_was_added_later_is_written_out_only_where_it_is_set():
    @dataclass(frozen=True)
    class Newer(Plain):
        form: str = field(default="old", metadata=ADDED_LATER)

    table = {"newer": Newer}
    assert "form" not in fill_defaults("rule", table, section={"name": "newer", "form": "old"})
    assert fill_defaults("rule", table, section={"name": "newer", "form": "new"})["form"] == "new"


def test_a_fact_is_written_out_only_if_it_was_said():
    assert "size" not in fill_defaults("rule", TABLE, section={"name": "plain"}, facts={"size": 9})
    assert fill_defaults("rule", TABLE, section={"name": "plain", "size": 4}, facts={"size": 9})["size"] == 4


def test_keys_beside_the_options_are_parted_from_them():
    section = {"name": "plain", "size": 1, "start": 7}
    assert split_member_options("rule", TABLE, section=section, beside=["start"]) == (
        {"name": "plain", "size": 1},
        {"start": 7},
    )


def test_an_unknown_key_is_answered_from_options_and_keys_beside_them():
    with pytest.raises(UnknownName, match="did you mean 'start'?"):
        split_member_options("rule", TABLE, section={"name": "plain", "strat": 7}, beside=["start"])
    with pytest.raises(UnknownName, match="; known: name, size, weights, start"):
        split_member_options("rule", TABLE, section={"name": "plain", "xyz": 7}, beside=["start"])


def test_settings_are_checked_against_their_types():
    assert parse_section("federation", Settings, {"clients": 2, "rate": 1}) == Settings(2, 1.0)
    with pytest.raises(ConfigError, match="federation.clients is 0; it must be greater than or equal to 1"):
        parse_section("federation", Settings, {"clients": 0})
    with pytest.raises(ConfigError, match="federation lacks 'clients'; set federation.clients"):
        parse_section("federation", Settings, {})
    with pytest.raises(UnknownName, match="federation has no key 'client'; did you mean 'clients'?"):
        parse_section("federation", Settings, {"client": 1})
