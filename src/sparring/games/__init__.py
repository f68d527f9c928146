"""Games between those who attack a training process and those who defend it."""

from sparring.games.env import SeatEnv, SeatsEnv

__all__ = ["SeatEnv", "SeatsEnv"]
