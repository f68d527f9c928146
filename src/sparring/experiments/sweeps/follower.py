"""Followers of a job with several stages: announcements of stages, training of policies, and sweeps."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from sparring.experiments.sweeps.run_sweep import SweepObserver


class Follower(Protocol):
    """Follows the stages of an audit or a reproduction, and may request a stop."""

    def begin(self, stage: str) -> None:
        """Announce the next stage."""

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        """Follow a sweep with `size` workers."""

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        """Follow the training of policies: `made` returns the steps of each so far, and `total` is the final sum."""


class NoFollower:
    """A follower that does nothing."""

    def begin(self, stage: str) -> None:
        """Ignore the announcement."""

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        return nullcontext(SweepObserver())

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        return nullcontext()
