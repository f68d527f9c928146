"""Who follows the stages of a larger piece of work: what comes next, the training of policies, and sweeps."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from sparring.experiments.sweeps.run_sweep import SweepObserver


class Follower(Protocol):
    """Follows the stages of an audit or a reproduction from outside, and may ask them to stop."""

    def begin(self, stage: str) -> None:
        """Be told what comes next."""

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        """Follow a sweep of which `size` runs are played at a time."""

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        """Follow the training of policies: `made` returns the steps of each, `total` is the number of steps of all."""


class NoFollower:
    """Follows nothing."""

    def begin(self, stage: str) -> None:
        """Let it begin."""

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        return nullcontext(SweepObserver())

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        return nullcontext()
