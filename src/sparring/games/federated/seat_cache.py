"""A cache of what states are to seats, stored outside the states, which are immutable."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

State = TypeVar("State")
Value = TypeVar("Value")


class SeatCache(Generic[State, Value]):
    """Caches values while their state exists; a copy, as in another process, starts empty."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[State, dict[str, Value]] = WeakKeyDictionary()

    def of(self, state: State, seat: str, *, measure: Callable[[State, str], Value]) -> Value:
        """Return the value of a state for a seat, computed at the first call."""
        known = self._known.setdefault(state, {})
        if seat not in known:
            known[seat] = measure(state, seat)
        return known[seat]

    def __reduce__(self) -> tuple[type["SeatCache[State, Value]"], tuple[()]]:
        return SeatCache, ()
