"""Followers of a job with several stages: announcements of stages, training of policies, and sweeps."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from sparring.experiments.sweeps.run_sweep import SweepObserver


class Follower(Protocol):
    """Follows the stages of an audit or a reproduction, and may request a stop."""

    def whole(self, seconds: float) -> AbstractContextManager[None]:
        """Follow all stages as one job that is planned to take `seconds`; without it, each stage is on its own."""

    def begin(self, stage: str, seconds: float = 0.0) -> None:
        """Announce the next stage, and its planned seconds as a part of the whole job."""

    def sweep(self, folder: Path, size: int, *, runs: int = 0) -> AbstractContextManager[SweepObserver]:
        """Follow a sweep with `size` workers and `runs` runs, including those that are complete already."""

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        """Follow the training of policies: `made` returns the steps of each so far, and `total` is the final sum."""


class NoFollower:
    """A follower that does nothing."""

    def whole(self, seconds: float) -> AbstractContextManager[None]:
        return nullcontext()

    def begin(self, stage: str, seconds: float = 0.0) -> None:
        """Ignore the announcement."""

    def sweep(self, folder: Path, size: int, *, runs: int = 0) -> AbstractContextManager[SweepObserver]:
        return nullcontext(SweepObserver())

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        return nullcontext()
