"""Games so small that what happens in them can be calculated."""

from sparring.games.exact.averaging import Averaging, finals, loss, objective, radius

__all__ = ["Averaging", "finals", "loss", "objective", "radius"]
