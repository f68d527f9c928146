"""What states are worth to seats, beside the states themselves, which stay as they are."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

State = TypeVar("State")


class Worths(Generic[State]):
    """Remembers what was measured for as long as there is the state; a copy, also in another process, knows nothing."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[State, dict[str, float]] = WeakKeyDictionary()

    def of(self, state: State, seat: str, *, measure: Callable[[State, str], float]) -> float:
        """Return what a state is worth to a seat, measured the first time."""
        known = self._known.setdefault(state, {})
        if seat not in known:
            known[seat] = measure(state, seat)
        return known[seat]

    def __reduce__(self) -> tuple[type["Worths[State]"], tuple[()]]:
        return Worths, ()
