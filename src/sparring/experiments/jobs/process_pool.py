"""Local workers: separate processes, so that the loss of a process affects only its own run.

They are forked from a server process that has only imported Sparring, since importing takes seconds. They are not
forked from this process, because its threads would not be copied.
"""

import atexit
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_all_start_methods, get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any

import torch

from sparring.errors import RunError, SparringError
from sparring.experiments.jobs.job import format_error
from sparring.experiments.jobs.workers import Argument, Value
from sparring.learning.calls import Calls, PinnedCalls, Shelf, pinned_in_turn
from sparring.training import follow_parent, keep_freed_memory
from sparring.training.backends.threaded import torch_threads

BLOCKED = (signal.SIGINT, signal.SIGTERM)
"""The signals that workers ignore and their parent handles."""


@dataclass(frozen=True)
class LocalWorkers:
    """Executes calls in `size` processes; a lost process is replaced."""

    size: int

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        yield from WorkerPool(self.size).calls(function, arguments)


def parallel_calls(processes: int) -> AbstractContextManager[Calls]:
    """Start processes that make calls, with the answers of calls in this process, and in the same order.

    They have as many threads as this one, so that sums are equal to the last bit. One process is this one.
    """
    return _lasting_calls(processes, alone=map)


def pinned_calls(processes: int) -> AbstractContextManager[PinnedCalls]:
    """Start processes as `parallel_calls` does; a call is made in the process of its pin, modulo their number."""
    return _lasting_calls(processes, alone=pinned_in_turn)


class WorkerPool:
    """Up to `size` processes, which end when nothing is left to do, or with `dismiss` if they are kept for more."""

    def __init__(self, size: int, *, keeps_idle: bool = False) -> None:
        self.size = size
        self.keeps_idle = keeps_idle
        self.idle: dict[int, Process] = {}
        """Processes that are kept, by their number."""

    def calls(
        self,
        function: Callable[[Argument], Value],
        arguments: Sequence[Argument],
        pins: Sequence[int] | None = None,
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        """Yield the index of each argument and the answer; each process gets its next call before that.

        With pins, a process makes only the calls of its own pins, modulo `size`.
        """
        waiting = self._queues(arguments, pins)
        busy: dict[Connection, tuple[int, Process, int]] = {}

        def employ(number: int, process: Process | None) -> None:
            following = next(waiting[number], None)
            if following is not None:
                process = process or Process()
                index, argument = following
                busy[process.connection] = number, process, index
                process.give(function, argument)
            elif process is not None:
                self._release(number, process)

        try:
            for number in range(self.size):
                employ(number, self.idle.pop(number, None))
            while busy:
                for connection in wait(list(busy)):
                    assert isinstance(connection, Connection)
                    number, process, index = busy.pop(connection)
                    answer = process.answer()
                    employ(number, None if isinstance(answer, RunError) else process)
                    yield index, answer
        finally:
            for _, process, _ in busy.values():
                process.kill()

    def dismiss(self) -> None:
        """Kill the processes that are kept."""
        while self.idle:
            self.idle.popitem()[1].kill()

    def _queues(
        self, arguments: Sequence[Argument], pins: Sequence[int] | None
    ) -> list[Iterator[tuple[int, Argument]]]:
        """Return the calls that wait for each process: the same queue for all, or one for each."""
        if pins is None:
            return [iter(enumerate(arguments))] * self.size
        calls = list(zip(pins, enumerate(arguments), strict=True))
        return [iter([call for pin, call in calls if pin % self.size == number]) for number in range(self.size)]

    def _release(self, number: int, process: "Process") -> None:
        if self.keeps_idle:
            self.idle[number] = process
        else:
            process.kill()


class Shelved(partial[Any]):
    """A function that also takes the shelf of the process in which it is called."""


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
        self.function: Callable[[Any], Any] | None = None
        # Registered after multiprocessing's handler, so it runs before it: that one waits for all non-daemon processes.
        atexit.register(self.kill)

    def give(self, function: Callable[[Any], Any], argument: Any) -> None:
        """Send a call; a function is sent once. A lost process is detected when its answer is read."""
        with suppress(OSError):
            self.connection.send((None if function is self.function else function, argument))
            self.function = function

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


@contextmanager
def _lasting_calls(processes: int, *, alone: Any) -> Iterator[Any]:
    """Yield calls in processes that are kept until the end of the context; a single one is this process."""
    if processes == 1:
        yield alone
        return
    pool = WorkerPool(processes, keeps_idle=True)
    try:
        yield partial(_call_in_order, pool)
    finally:
        pool.dismiss()


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
    function: Callable[[Any], Any] | None = None
    shelf: Shelf = {}
    with suppress(EOFError):
        while True:
            newer, argument = connection.recv()
            if newer is not None:
                function = partial(newer, shelf=shelf) if isinstance(newer, Shelved) else newer
            assert function is not None
            connection.send(function(argument))


def _call_in_order(
    pool: WorkerPool, function: Callable[[Any], Any], arguments: Sequence[Any], pins: Sequence[int] | None = None
) -> Iterator[Any]:
    """Yield the answers in the order of the arguments; an error is raised. With pins, the function takes a shelf."""
    answering = (partial if pins is None else Shelved)(_answer, function, threads=torch.get_num_threads())
    answers: dict[int, Any] = {}
    due = 0
    with closing(pool.calls(answering, arguments, pins)) as found:
        for index, answer in found:
            if isinstance(answer, SparringError):
                raise answer
            answers[index] = answer
            while due in answers:
                yield answers.pop(due)
                due += 1


def _answer(function: Callable[..., Any], argument: Any, *, threads: int, **kept: Shelf) -> Any:
    """Return the answer of a call; errors are returned, not raised."""
    with torch_threads(threads):
        try:
            return function(argument, **kept)
        except SparringError as error:
            return error
        except Exception as error:  # noqa: BLE001  (raised again where the call was made)
            return RunError(format_error(error))


def _describe_loss(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"the process was killed by {name}; if memory ran out, use fewer workers or a smaller model"
    return f"the process ended with exit code {code}; see its output on stderr"
