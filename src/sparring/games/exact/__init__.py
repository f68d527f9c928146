"""Games that are small enough for exact computation."""

from sparring.games.exact.averaging import Averaging, finals, loss, objective, radius
from sparring.games.exact.tug_of_war import TugOfWar, pure_saddles

__all__ = ["Averaging", "TugOfWar", "finals", "loss", "objective", "pure_saddles", "radius"]
