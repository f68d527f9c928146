"""What workers are asked to do."""

import os
import signal
import time


def answer(what: str) -> str:
    """Answer, or die of the signal of that name."""
    if what in signal.Signals.__members__:
        os.kill(os.getpid(), signal.Signals[what])
    return what


def sleep(seconds: float | str) -> None:
    """Take long, or end the process."""
    if seconds == "exit":
        os._exit(3)
    time.sleep(float(seconds))
