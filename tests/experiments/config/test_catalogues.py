import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest

from sparring.contracts import Defense
from sparring.errors import UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Entry, Option, list_members
from sparring.kinds import StatedFacts, stated_facts
from sparring.registry import lookup

FACTS = StatedFacts._fields
STATED = {
    "triggers": ("paper",),
    "datasets": ("paper",),
    "partitions": ("paper",),
    "models": ("paper",),
    "backends": (),
}
"""What the members of a kind state, if it is not everything."""


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
    """The rule inside."""
    form: Literal["auto", "plain"] = "auto"
    factors: tuple[float, ...] = (1.0, 2.0)
    limit: int | None = None
    sizes: tuple[int, ...] = field(default_factory=lambda: (3, 2))
    pair: tuple[int, int] = (1, 2)
    is_on: bool = False
    made: int = field(init=False, default=0)
    cost: ClassVar[str] = "O(n d)"


def test_options_are_listed_with_their_types_and_defaults():
    toys = Catalogues({"toys": {"toy": Toy}})
    options = (
        Option("inner", "Defense", True, None, "The rule inside.", ("toy",)),
        Option("form", "Literal['auto', 'plain']", False, "auto", allowed=("auto", "plain")),
        Option("factors", "tuple[float, ...]", False, (1.0, 2.0), allowed=("a list (each a number)",)),
        Option("limit", "int | None", False, None, allowed=("a whole number", "null")),
        Option("sizes", "tuple[int, ...]", False, [3, 2], allowed=("a list (each a whole number)",)),
        Option("pair", "tuple[int, int]", False, (1, 2), allowed=("a list of 2 (each a whole number)",)),
        Option("is_on", "bool", False, False, allowed=("true", "false")),
    )
    assert list_members("toys", toys) == (Entry("toy", "Does nothing at all.", options, cost="O(n d)"),)


@pytest.mark.parametrize("kind", list(CATALOGUES))
def test_every_option_of_every_member_has_a_meaning(kind):
    empty = [
        f"{entry.name}.{option.name}" for entry in list_members(kind) for option in entry.options if not option.meaning
    ]
    assert not empty, f"nothing stands below these fields: {', '.join(empty)}"


@pytest.mark.parametrize("kind", list(CATALOGUES))
def test_the_class_of_every_member_states_its_paper_cost_and_assumption(kind):
    for name in CATALOGUES[kind]:
        cls = lookup(kind, CATALOGUES[kind], name)
        stated = stated_facts(cls)
        for fact in STATED.get(kind, FACTS):
            assert isinstance(getattr(cls, fact, None), str), f"{kind} {name!r} does not state its {fact}"
            assert getattr(stated, fact) or fact == "paper", f"{kind} {name!r} has an empty {fact}"
            assert getattr(stated, fact) == getattr(stated, fact).strip(" .")
        for paper in filter(None, stated.paper.split("; ")):
            assert re.fullmatch(r".+, (?:19|20)\d\d, .+, [^,]+", paper), f"{kind} {name!r} has the paper {paper!r}"


def test_an_unknown_kind_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownName, match="unknown kind 'defences'; did you mean 'defenses'?"):
        list_members("defences")
    with pytest.raises(UnknownName, match="unknown kind 'x'; known: attacks, triggers, defenses"):
        list_members("x")
