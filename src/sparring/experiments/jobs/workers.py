"""Who plays the runs of a sweep: anything that makes calls elsewhere, some at a time."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sparring.errors import RunError

Argument = TypeVar("Argument")
Value = TypeVar("Value")


class Workers(Protocol):
    """Makes calls, `size` at a time. Functions and arguments can be pickled, and every worker sees the same files."""

    @property
    def size(self) -> int:
        """How many calls are made at a time."""

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        """Yield the place of each argument and the function's answer to it, as they come.

        The function never raises; where a worker was lost over an argument, an error that says how takes the place of
        the answer, and the others go on. To close the generator is to end at once what is still being played.
        """


@dataclass(frozen=True)
class InlineWorkers:
    """Makes the calls in this process, one by one: what all other workers must equal."""

    size: int = 1

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        for place, argument in enumerate(arguments):
            yield place, function(argument)
