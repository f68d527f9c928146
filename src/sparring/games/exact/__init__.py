"""Games that are small enough for exact computation."""

from sparring.games.exact.averaging import Averaging, finals, loss, objective, radius

__all__ = ["Averaging", "finals", "loss", "objective", "radius"]
