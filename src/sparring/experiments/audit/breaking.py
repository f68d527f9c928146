"""How many malicious clients it takes."""

from collections.abc import Callable


def least(breaks: Callable[[int], bool], most: int) -> int | None:
    """Return the least number from 1 to `most` that breaks, if more break whatever fewer do; None if not even `most`.

    About log2(most) numbers are tried.
    """
    if not breaks(most):
        return None
    intact, broken = 0, most
    while broken - intact > 1:
        middle = (intact + broken) // 2
        if breaks(middle):
            broken = middle
        else:
            intact = middle
    return broken
