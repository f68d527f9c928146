"""How independent calls are made: in this process, or in several."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

Argument = TypeVar("Argument")
Value = TypeVar("Value")

Calls = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Calls a function with each argument, in this process or in others, and returns the answers in order: as `map` does.

A function and its arguments can be pickled. What all calls need belongs to the function, since it is sent less often.
"""


def call_in_turn(function: Callable[[Argument], Value], arguments: Sequence[Argument]) -> Iterable[Value]:
    """Make calls in this process, one after the other: what every other way of making them must equal."""
    return map(function, arguments)


Shelf = dict[Hashable, Any]
"""What calls leave for later calls in the same process. It may be empty at any time, such as in a new process."""


class PinnedCalls(Protocol):
    """Calls a function with each argument and a shelf, where calls with equal pins are made in the same process.

    So what is large and changes little need not travel. The answers come in order, and may not depend on what the shelf
    holds, other than that a call is told what it lacks and made again.
    """

    def __call__(
        self, function: Callable[[Any, Shelf], Any], arguments: Sequence[Any], *, pins: Sequence[int]
    ) -> Iterable[Any]:
        """Return the answers in order."""


def pinned_in_turn(
    function: Callable[[Argument, Shelf], Value], arguments: Sequence[Argument], *, pins: Sequence[int]
) -> Iterable[Value]:
    """Make calls in this process, one after the other, with an empty shelf each: whoever calls has everything."""
    return (function(argument, {}) for argument in arguments)
