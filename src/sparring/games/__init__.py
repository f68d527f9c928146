"""Games between attackers and defenders of a training process."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.games.env import SeatEnv, SeatsEnv
    from sparring.games.members_env import MembersEnv

__all__ = ["MembersEnv", "SeatEnv", "SeatsEnv"]


def __getattr__(name: str) -> Any:
    """Import the environments when they are used: central trainings, which are games too, need no Gymnasium."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "members_env" if name == "MembersEnv" else "env"
    return getattr(import_module(f"sparring.games.{module}"), name)
