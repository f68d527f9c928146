"""Workers that execute the runs of a sweep: the interface, and the inline implementation."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sparring.errors import RunError

Argument = TypeVar("Argument")
Value = TypeVar("Value")


class Workers(Protocol):
    """Executes calls, `size` at a time. Functions and arguments can be pickled, and all workers share a file system."""

    @property
    def size(self) -> int:
        """The number of concurrent calls."""

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        """Yield the index of each argument and the function's result, in order of completion.

        The function never raises. If a worker is lost, the result is an error with the reason, and other calls
        continue. Closing the generator kills the calls in progress.
        """


@dataclass(frozen=True)
class InlineWorkers:
    """Executes the calls in this process, one by one: the reference for all other workers."""

    size: int = 1

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        for index, argument in enumerate(arguments):
            yield index, function(argument)
