"""How independent calls are made: in this process, or in several."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

Argument = TypeVar("Argument")
Value = TypeVar("Value")

Calls = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Calls a function with each argument, in this process or in others, and returns the answers in order: as `map` does.

A function and its arguments can be pickled. What all calls need belongs to the function, since it is sent less often.
"""


def call_in_turn(function: Callable[[Argument], Value], arguments: Sequence[Argument]) -> Iterable[Value]:
    """Make calls in this process, one after the other: what every other way of making them must equal."""
    return map(function, arguments)
