"""Games between attackers and defenders of a training process."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.games.env import SeatEnv, SeatsEnv

__all__ = ["SeatEnv", "SeatsEnv"]


def __getattr__(name: str) -> Any:
    """Import the environments when they are used: central trainings, which are games too, need no Gymnasium."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("sparring.games.env"), name)
