"""How an audit is followed on the command line."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from sparring.cli.following import show_notice
from sparring.cli.following_sweep import following_sweep
from sparring.cli.interruption import stop_request
from sparring.cli.progress import progress
from sparring.experiments.audit.training import STOP, steps_made
from sparring.experiments.sweeps import SweepObserver

GLANCE = 2.0
"""Seconds between two looks at how far training is."""


@dataclass(frozen=True)
class Watcher:
    """Tells of each stage, and how far it is."""

    def begin(self, stage: str) -> None:
        show_notice(stage)

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        return following_sweep(folder, size)

    @contextmanager
    def training(self, folders: Sequence[Path], steps: int) -> Iterator[None]:
        stop = folders[0].parent / STOP
        with stop_request(stop.touch) as request, progress("step", steps * len(folders)) as shown:
            request.can_wait = True

            def look(before: list[int]) -> list[int]:
                made = [min(steps, steps_made(folder)) for folder in folders]
                if made != before:
                    shown.show(sum(made), f"steps of each policy: {', '.join(map(str, made))}")
                return made

            with repeated(look):
                yield


@contextmanager
def repeated(look: Callable[[list[int]], list[int]]) -> Iterator[None]:
    """Look now and then, and at the end, while something is done that does not tell how far it is.

    Each look is given what the last one has seen.
    """
    done = Event()

    def watch() -> None:
        seen = look([])
        while not done.wait(GLANCE):
            seen = look(seen)
        look(seen)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
