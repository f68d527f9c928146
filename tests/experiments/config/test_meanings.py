import ast
from dataclasses import dataclass

from sparring.experiments.config.meanings import attribute_docstrings, option_meanings

MODULE = ast.parse(
    '''
class Halving:
    share: float = 0.5
    """How much
    remains."""
    name: str = ""
'''
)


@dataclass(frozen=True)
class Base:
    size: int = 1
    """Pixels."""
    color: float = 1.0
    """From black to white."""


@dataclass(frozen=True)
class Derived(Base):
    color: float = 0.5
    """From white to black."""
    plain: int = 0


def test_the_text_below_a_field_is_its_meaning():
    assert attribute_docstrings(MODULE, "Halving") == {"share": "How much remains."}


def test_an_inherited_field_has_the_meaning_of_the_class_that_wrote_it_last():
    assert option_meanings(Derived) == {"size": "Pixels.", "color": "From white to black."}


def test_a_class_without_source_has_no_meanings():
    assert option_meanings(int) == {}
    assert option_meanings(type("Made", (), {"__module__": "nowhere"})) == {}
