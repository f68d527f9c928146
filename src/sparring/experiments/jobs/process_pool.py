"""Local workers: separate processes, so that the loss of a process affects only its own run.

They are forked from a server process that has only imported Sparring, since importing takes seconds. They are not
forked from this process, because its threads would not be copied.
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

BLOCKED = (signal.SIGINT, signal.SIGTERM)
"""The signals that workers ignore and their parent handles."""


@dataclass(frozen=True)
class LocalWorkers:
    """Executes calls in `size` processes; a lost process is replaced."""

    size: int

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        pool = WorkerPool(function, arguments)
        try:
            for _ in range(self.size):
                pool.employ(None)
            while pool.busy:
                yield from pool.answers()
        finally:
            pool.dismiss()


class WorkerPool(Generic[Argument, Value]):
    """Processes that execute the remaining calls."""

    def __init__(self, function: Callable[[Argument], Value], arguments: Sequence[Argument]) -> None:
        self.function = function
        self.waiting = iter(enumerate(arguments))
        self.busy: dict[Connection, tuple[Process, int]] = {}

    def answers(self) -> Iterator[tuple[int, Value | RunError]]:
        """Wait for the next answers; each process gets its next call before its answer is yielded."""
        for connection in wait(list(self.busy)):
            assert isinstance(connection, Connection)
            process, index = self.busy.pop(connection)
            answer = process.answer()
            self.employ(None if isinstance(answer, RunError) else process)
            yield index, answer

    def employ(self, process: "Process | None") -> None:
        """Send the next call to a process, or to a new one if it is None; without a next call the process is ended."""
        following = next(self.waiting, None)
        if following is not None:
            process = process or Process()
            index, argument = following
            self.busy[process.connection] = process, index
            process.give(self.function, argument)
        elif process is not None:
            process.kill()

    def dismiss(self) -> None:
        """Kill all busy processes."""
        for process, _ in self.busy.values():
            process.kill()


class Process:
    """A process that answers one call at a time and may have child processes.

    Daemon processes may not have children, so this one is not a daemon: `kill`, at the latest at the exit of this
    process, and `follow_parent` end it.
    """

    def __init__(self) -> None:
        context = _context()
        self.connection, theirs = context.Pipe()
        # The server may be older than this process's environment.
        self.process = context.Process(target=_serve, args=(theirs, dict(os.environ)), daemon=False)  # type: ignore[attr-defined]  # all contexts have it
        with _block_signals():
            self.process.start()
        theirs.close()
        # Registered after multiprocessing's handler, so it runs before it: that one waits for all non-daemon processes.
        atexit.register(self.kill)

    def give(self, function: Callable[[Any], Any], argument: Any) -> None:
        """Send a call; a lost process is detected when its answer is read."""
        with suppress(OSError):
            self.connection.send((function, argument))

    def answer(self) -> Any:
        """Return the answer, or an error with the reason for the loss of the process."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.kill()
            return RunError(_describe_loss(self.process.exitcode))

    def kill(self) -> None:
        atexit.unregister(self.kill)
        self.process.kill()
        self.process.join()
        self.connection.close()


def _context() -> BaseContext:
    """Return the start method: a fork server where the system supports it, else spawn."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    # Preload the imported modules of Sparring, but not the script of this process, which may have side effects.
    context.set_forkserver_preload(sorted(name for name in sys.modules if name.startswith("sparring.")))
    return context


@contextmanager
def _block_signals() -> Iterator[None]:
    """Block signals within the context, so that a process started in it ignores them from its start."""
    resource_tracker.ensure_running()  # otherwise it would start together with the process and unblock the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, environment: dict[str, str]) -> None:
    """Answer calls until the connection closes."""
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    follow_parent()
    os.environ.clear()
    os.environ.update(environment)
    keep_freed_memory()
    with suppress(EOFError):
        while True:
            function, argument = connection.recv()
            connection.send(function(argument))


def _describe_loss(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"the process was killed by {name}; if memory ran out, use fewer workers or a smaller model"
    return f"the process ended with exit code {code}; see its output on stderr"
