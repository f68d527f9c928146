from dataclasses import dataclass, field
from typing import Literal

import pytest

from sparring.contracts import Defense
from sparring.errors import UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Entry, Option, list_members


@pytest.mark.parametrize("kind", list(CATALOGUES))
def test_every_member_says_what_it_is(kind):
    entries = list_members(kind)
    assert [entry.name for entry in entries] == list(CATALOGUES[kind])
    assert all(entry.description.endswith(".") for entry in entries)


@dataclass(frozen=True)
class Toy:
    """Does nothing at all.

    And nothing else.
    """

    inner: Defense
    form: Literal["auto", "plain"] = "auto"
    factors: tuple[float, ...] = (1.0, 2.0)
    limit: int | None = None
    sizes: tuple[int, ...] = field(default_factory=lambda: (3, 2))
    made: int = field(init=False, default=0)


def test_options_are_listed_with_their_types_and_defaults():
    toys = Catalogues({"toys": {"toy": Toy}})
    options = (
        Option("inner", "Defense", True, None),
        Option("form", "Literal['auto', 'plain']", False, "auto"),
        Option("factors", "tuple[float, ...]", False, (1.0, 2.0)),
        Option("limit", "int | None", False, None),
        Option("sizes", "tuple[int, ...]", False, [3, 2]),
    )
    assert list_members("toys", toys) == (Entry("toy", "Does nothing at all.", options),)


def test_an_unknown_kind_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownName, match="unknown kind 'defences'; did you mean 'defenses'?"):
        list_members("defences")
    with pytest.raises(UnknownName, match="unknown kind 'x'; known: attacks, poisons, triggers, defenses"):
        list_members("x")
