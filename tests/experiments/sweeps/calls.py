"""What workers are asked to do."""

import os
import signal
import time

import torch

from sparring.errors import ConfigError
from sparring.experiments.jobs.process_pool import LocalWorkers


def answer(what: str) -> str:
    """Answer, or die of the signal of that name."""
    if what in signal.Signals.__members__:
        os.kill(os.getpid(), signal.Signals[what])
    return what


def environment(name: str) -> str | None:
    """Return a variable of the environment."""
    return os.environ.get(name)


def sleep(seconds: float | str) -> None:
    """Take long, or end the process."""
    if seconds == "exit":
        os._exit(3)
    time.sleep(float(seconds))


LEFT = []


def leave() -> None:
    """Have two workers at work, and go without a word to them."""
    answers = LocalWorkers(2).calls(sleep, [0.0, 600.0])
    LEFT.append(answers)
    next(answers)


def refuse(number: int) -> int:
    """Return an even number."""
    if number % 2:
        raise ConfigError(f"{number} is odd")
    return number


def threads_and_process(_: int) -> tuple[int, int]:
    """Return the number of threads, and the process."""
    time.sleep(0.01)
    return torch.get_num_threads(), os.getpid()


def count_calls(name: str, shelf: dict[str, int]) -> tuple[str, int, int]:
    """Return a name, how often this process was called with it, and the process."""
    shelf[name] = shelf.get(name, 0) + 1
    return answer(name), shelf[name], os.getpid()
