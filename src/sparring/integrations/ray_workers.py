"""Workers on a Ray cluster: an existing one, or one that is started on this machine for the duration of the calls."""

import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeVar

from sparring.errors import RunError

DRIVER = "sparring.integrations.ray_driver"
LOCAL = "local"
PATIENCE = 45.0
"""Seconds within which a cluster must answer; Ray itself retries for minutes."""
STORE = 100 << 20
"""Bytes for objects shared between processes; Sparring shares none, since workers read data from files."""

Argument = TypeVar("Argument")
Value = TypeVar("Value")


@dataclass(frozen=True)
class RayWorkers:
    """Runs calls on the Ray cluster at `address`, one per core; `local` starts a cluster on this machine."""

    address: str

    @cached_property
    def size(self) -> int:
        """Number of cores."""
        if self.address == LOCAL:
            return len(os.sched_getaffinity(0))
        with _driver(Order(self.address, {}, abs, ())) as (cores, _):
            return cores

    def calls(
        self, function: Callable[[Argument], Value], arguments: Sequence[Argument]
    ) -> Generator[tuple[int, Value | RunError], None, None]:
        sizes = {"num_cpus": self.size, "object_store_memory": STORE} if self.address == LOCAL else {}
        with _driver(Order(self.address, sizes, function, arguments)) as (_, connection):
            for _ in arguments:
                yield _receive(connection)


class Order(NamedTuple):
    """Calls to run on the cluster at an address; a cluster that must be started is given its sizes."""

    address: str
    sizes: Mapping[str, int]
    function: Callable[[Any], Any]
    arguments: Sequence[Any]


@contextmanager
def _driver(order: Order) -> Iterator[tuple[int, Connection]]:
    """Start a separate process that talks to Ray; yield the number of cores and the connection for its results.

    Ray prints to stdout, replaces signal handlers, retries an address forever and, if the cluster is lost, ends its
    process.
    """
    ours, theirs = Pipe()
    driver = subprocess.Popen(
        [sys.executable, "-m", DRIVER, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # input at the terminal, such as Ctrl-C, reaches only the parent
    )
    theirs.close()
    try:
        for message in (sys.path, tuple(order)):
            ours.send(message)
        yield _greeting(driver, ours, address=order.address), ours
    finally:
        ours.close()
        _wait_for(driver)


def _greeting(driver: "subprocess.Popen[bytes]", connection: Connection, *, address: str) -> int:
    """Return the cluster's number of cores, once it is connected."""
    if not connection.poll(PATIENCE):
        driver.kill()
        remedy = f"give the address of one that runs, or {LOCAL!r} to start one on this machine"
        raise RunError(f"no Ray cluster answers at {address!r}; {remedy}")
    cores = _receive(connection)
    if isinstance(cores, RunError):
        raise cores
    assert isinstance(cores, int)
    return cores


def _receive(connection: Connection) -> Any:
    try:
        return connection.recv()
    except (EOFError, OSError):
        raise RunError("the Ray cluster is lost; start one, and the same command does the remaining runs") from None


def _wait_for(driver: "subprocess.Popen[bytes]") -> None:
    try:
        driver.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()
