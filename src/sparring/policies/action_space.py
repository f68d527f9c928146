"""Map the numbers of an action from [-1, 1] to a range, linearly or logarithmically."""

from math import log
from typing import Literal

Range = tuple[float, float]
"""The values that -1 and 1 map to."""
Spacing = Literal["linear", "log"]
"""Whether equal steps of an action are equal steps in the range, or equal factors."""


def map_to_range(number: float, within: Range, *, spacing: Spacing = "linear") -> float:
    """Map [-1, 1] to a range; a number outside counts as the nearer end. A logarithmic range begins above 0."""
    low, high = within
    share = (min(1.0, max(-1.0, number)) + 1) / 2
    if spacing == "linear":
        return low + (high - low) * share
    factor: float = (high / low) ** share
    return low * factor


def map_from_range(value: float, within: Range, *, spacing: Spacing = "linear") -> float:
    """Return the number that `map_to_range` maps to a value; of a value beyond the range, that of the nearer end."""
    low, high = within
    if low == high:
        return 0.0
    value = min(high, max(low, value))
    share = (value - low) / (high - low) if spacing == "linear" else log(value / low) / log(high / low)
    return 2 * share - 1
