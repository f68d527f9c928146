"""Backends: how the clients' local training is executed."""

from sparring.registry import Table
from sparring.training.backends.auto import Auto
from sparring.training.backends.batched import Batched
from sparring.training.backends.sequential import Sequential
from sparring.training.backends.threaded import Threaded

BACKENDS: Table = {
    "auto": Auto,
    "batched": Batched,
    "sequential": Sequential,
    "threaded": Threaded,
}

__all__ = ["BACKENDS", "Auto", "Batched", "Sequential", "Threaded"]
