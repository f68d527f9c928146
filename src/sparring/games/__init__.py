"""Games between attackers and defenders of a training process."""

from sparring.games.env import SeatEnv, SeatsEnv

__all__ = ["SeatEnv", "SeatsEnv"]
