"""Workers on a Ray cluster: one that is there, or one that is started on this machine for as long as it is needed."""

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
"""Seconds within which a cluster must answer. Ray itself goes on trying for minutes."""
STORE = 100 << 20
"""Bytes for objects that processes share: ours share none, since they read their data from files."""

Argument = TypeVar("Argument")
Value = TypeVar("Value")


@dataclass(frozen=True)
class RayWorkers:
    """Makes the calls on the Ray cluster at `address`, one a core; `local` is a cluster of its own on this machine."""

    address: str

    @cached_property
    def size(self) -> int:
        """How many cores there are."""
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
                yield _received(connection)


class Order(NamedTuple):
    """Calls to make on the cluster at an address; one that has to be started is given its sizes."""

    address: str
    sizes: Mapping[str, int]
    function: Callable[[Any], Any]
    arguments: Sequence[Any]


@contextmanager
def _driver(order: Order) -> Iterator[tuple[int, Connection]]:
    """Let a process of its own talk to Ray, and yield how many cores it found and where its answers come from.

    Ray prints to stdout what it likes, replaces signal handlers, never gives up on an address and, if the cluster is
    lost, ends the process.
    """
    ours, theirs = Pipe()
    driver = subprocess.Popen(
        [sys.executable, "-m", DRIVER, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what is typed at the terminal, such as Ctrl-C, is for us alone
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
    """Return how many cores the cluster has, once there is a connection to it."""
    if not connection.poll(PATIENCE):
        driver.kill()
        remedy = f"give the address of one that runs, or {LOCAL!r} to start one on this machine"
        raise RunError(f"no Ray cluster answers at {address!r}; {remedy}")
    cores = _received(connection)
    if isinstance(cores, RunError):
        raise cores
    assert isinstance(cores, int)
    return cores


def _received(connection: Connection) -> Any:
    try:
        return connection.recv()
    except (EOFError, OSError):
        raise RunError("the Ray cluster is lost; start one, and the same command goes on with what is left") from None


def _wait_for(driver: "subprocess.Popen[bytes]") -> None:
    try:
        driver.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()
