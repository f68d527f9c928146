"""Ctrl-C and SIGTERM: the round is finished before a run stops."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Request:
    """Whether somebody asked a run to stop: before its first record it stops at once, and so it does if asked twice."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell
        self.can_wait = False
        self.is_made = False

    def make(self, number: int, frame: FrameType | None) -> None:
        """Answer a signal."""
        if self.is_made or not self.can_wait:
            raise KeyboardInterrupt
        self.is_made = True
        self.tell()


def _nobody() -> None:
    """Leave it to whoever looks."""


@contextmanager
def stop_request(tell: Callable[[], None] = _nobody) -> Iterator[Request]:
    """Let signals ask, for as long as a run takes; `tell` passes on that one has."""
    request = Request(tell)
    before = {number: signal.signal(number, request.make) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
