"""How the training of policies is followed on the command line."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from sparring.cli.interruption import stop_request
from sparring.cli.progress import progress
from sparring.experiments.jobs.job import stop_file

GLANCE = 2.0
"""Seconds between two looks at how far training is."""
SHOWN = 4
"""How many policies have their steps shown; of more it is told how many have any."""


@contextmanager
def following_training(folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> Iterator[None]:
    """Show how many steps each policy in a folder has made, of `total` for all; a signal asks these to stop."""
    with stop_request(stop_file(folder).touch) as request, progress("step", total) as shown:
        request.can_wait = True

        def look(before: Sequence[int]) -> Sequence[int]:
            steps = made()
            if steps != before:
                shown.show(sum(steps), _news(steps))
            return steps

        with repeated(look):
            yield


@contextmanager
def repeated(look: Callable[[Sequence[int]], Sequence[int]]) -> Iterator[None]:
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


def _news(steps: Sequence[int]) -> str:
    if len(steps) <= SHOWN:
        return f"steps of each policy: {', '.join(map(str, steps))}"
    return f"{sum(step > 0 for step in steps)} of {len(steps)} policies begun"
