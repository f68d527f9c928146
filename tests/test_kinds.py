from dataclasses import dataclass
from typing import ClassVar

from sparring.kinds import StatedFacts, stated_facts


@dataclass(frozen=True)
class Halves:
    paper: ClassVar[str] = "Doe et al., 2026, Halving, Venue"
    cost: float = 1.0

    @property
    def assumption(self) -> str:
        return "computed"


class Quarters(Halves):
    cost = "O(n d)"


def test_a_class_states_facts_in_class_variables_and_not_in_options_or_properties():
    assert stated_facts(Halves) == StatedFacts(paper="Doe et al., 2026, Halving, Venue")


def test_a_class_that_states_nothing_has_empty_facts():
    assert stated_facts(int) == StatedFacts() == ("", "", "")


def test_facts_are_inherited():
    assert stated_facts(Quarters).paper == "Doe et al., 2026, Halving, Venue"
