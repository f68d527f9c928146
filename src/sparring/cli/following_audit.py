"""How an audit is followed on the command line."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sparring.cli.progress import following_sweep, following_training, show_notice
from sparring.experiments.audit.training import steps_made
from sparring.experiments.sweeps import SweepObserver


@dataclass(frozen=True)
class Watcher:
    """Tells of each stage, and how far it is."""

    def begin(self, stage: str) -> None:
        show_notice(stage)

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        return following_sweep(folder, size)

    def training(self, folders: Sequence[Path], steps: int) -> AbstractContextManager[None]:
        def made() -> list[int]:
            return [min(steps, steps_made(folder)) for folder in folders]

        return following_training(folders[0].parent, made, total=steps * len(folders))
