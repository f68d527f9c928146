"""Workers on this machine: processes of their own, so that one that is lost takes only its run with it.

They are forked from a server that has imported Sparring and done nothing else: it is started once, and importing takes
seconds. Nothing is forked from this process, whose threads would not be copied.
"""

import atexit
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any, Generic

from sparring.errors import RunError
from sparring.experiments.jobs.workers import Argument, Value
from sparring.training import follow_parent, keep_freed_memory

DEAF_TO = (signal.SIGINT, signal.SIGTERM)
"""What workers leave to their parent."""


@dataclass(frozen=True)
class LocalWorkers:
    """Makes the calls in `size` processes; one that is lost is replaced."""

    size: int

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        crew = WorkerPool(function, arguments)
        try:
            for _ in range(self.size):
                crew.employ(None)
            while crew.busy:
                yield from crew.answers()
        finally:
            crew.dismiss()


class WorkerPool(Generic[Argument, Value]):
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
    """A process that answers one call at a time, and may start processes of its own.

    It is no daemon, which may not: what ends it is `kill`, at the latest when this process exits, and `follow_parent`.
    """

    def __init__(self) -> None:
        context = _context()
        self.connection, theirs = context.Pipe()
        # The server may be older than this process's environment.
        self.process = context.Process(target=_serve, args=(theirs, dict(os.environ)), daemon=False)  # type: ignore[attr-defined]  # as all contexts have
        with _deaf():
            self.process.start()
        theirs.close()
        # Registered after multiprocessing's own, so it comes before: that one waits for all who are no daemons.
        atexit.register(self.kill)

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
        atexit.unregister(self.kill)
        self.process.kill()
        self.process.join()
        self.connection.close()


def _context() -> BaseContext:
    """Return how processes are started: forked from a server where the system can."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    # Not the script of this process, which may do anything: what of Sparring it has imported, each worker would import.
    context.set_forkserver_preload(sorted(name for name in sys.modules if name.startswith("sparring.")))
    return context


@contextmanager
def _deaf() -> Iterator[None]:
    """Let a process that is started meanwhile leave signals to its parent, from its first moment on."""
    resource_tracker.ensure_running()  # else it is started together with the process, and undoes this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, environment: dict[str, str]) -> None:
    """Answer calls until there are no more."""
    signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
    follow_parent()
    os.environ.clear()
    os.environ.update(environment)
    keep_freed_memory()
    with suppress(EOFError):
        while True:
            function, argument = connection.recv()
            connection.send(function(argument))


def _loss(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"the process was killed by {name}; if memory ran out, play fewer runs at a time or a smaller model"
    return f"the process ended by itself, with exit code {code}; what it wrote on stderr says more"
