"""Workers on this machine: processes of their own, so that one that is lost takes only its run with it."""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic

from sparring.errors import RunError
from sparring.experiments.sweeps.workers import Argument, Value
from sparring.training import keep_freed_memory


@dataclass(frozen=True)
class LocalWorkers:
    """Makes the calls in `size` processes; one that is lost is replaced."""

    size: int

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        crew = Crew(function, arguments)
        try:
            for _ in range(self.size):
                crew.employ(None)
            while crew.busy:
                yield from crew.answers()
        finally:
            crew.dismiss()


class Crew(Generic[Argument, Value]):
    """Processes at work on the calls that are left."""

    def __init__(self, function: Callable[[Argument], Value], arguments: Sequence[Argument]) -> None:
        self.function = function
        self.waiting = iter(enumerate(arguments))
        self.busy: dict[Connection, tuple[Process, int]] = {}

    def answers(self) -> Iterator[tuple[int, Value | RunError]]:
        """Wait for the next answers; whoever gave one has the next call before it is passed on."""
        for connection in wait(list(self.busy)):
            assert isinstance(connection, Connection)
            process, place = self.busy.pop(connection)
            answer = process.answer()
            self.employ(None if isinstance(answer, RunError) else process)
            yield place, answer

    def employ(self, process: "Process | None") -> None:
        """Hand the next call to a process, or to a new one; where there is none left, it is not needed any more."""
        following = next(self.waiting, None)
        if following is not None:
            process = process or Process()
            place, argument = following
            self.busy[process.connection] = process, place
            process.give(self.function, argument)
        elif process is not None:
            process.kill()

    def dismiss(self) -> None:
        """End at once what is being played."""
        for process, _ in self.busy.values():
            process.kill()


class Process:
    """A process that answers one call at a time."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _deaf():
            self.process.start()
        theirs.close()

    def give(self, function: Callable[[Any], Any], argument: Any) -> None:
        """Make a call; that the process is lost is found out when its answer is read."""
        with suppress(OSError):
            self.connection.send((function, argument))

    def answer(self) -> Any:
        """Return the answer, or an error that says how the process was lost."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.kill()
            return RunError(_loss(self.process.exitcode))

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@contextmanager
def _deaf() -> Iterator[None]:
    """Let a process that is started meanwhile leave signals to its parent, from its first moment on."""
    resource_tracker.ensure_running()  # else it is started together with the process, and undoes this
    signals = (signal.SIGINT, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection) -> None:
    """Answer calls until there are no more."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    keep_freed_memory()
    with suppress(EOFError):
        while True:
            function, argument = connection.recv()
            connection.send(function(argument))


def _follow_parent() -> None:
    """End with the parent, however it ends: nobody else would take what is played here."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _loss(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"the process was killed by {name}; if memory ran out, play fewer runs at a time or a smaller model"
    return f"the process ended by itself, with exit code {code}; what it wrote on stderr says more"
