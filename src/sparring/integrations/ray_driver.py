"""The process that talks to Ray for `ray_workers`: it runs calls on a cluster until its parent disconnects."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

from sparring.errors import RunError
from sparring.training import keep_freed_memory

PULSE = 0.5
"""Interval in seconds for checking whether the parent is still connected."""


def serve(parent: Connection) -> None:
    """Send the number of cores, then run the requested calls."""
    sys.path[:] = parent.recv()  # first, since the next message needs imports from these paths
    address, sizes, function, arguments = parent.recv()
    try:
        with _cluster(address, sizes) as cores:
            parent.send(cores)
            _make(parent, function=function, arguments=arguments)
    except RunError as error:
        parent.send(error)


@contextmanager
def _cluster(address: str, sizes: Mapping[str, int]) -> Iterator[int]:
    """Connect to a cluster and yield its number of cores; a cluster started here leaves no files behind."""
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) if sizes else nullcontext() as folder:
        own = {"include_dashboard": False, "_temp_dir": folder, **sizes} if sizes else {}
        try:
            _connect(address, own)
            yield int(ray.cluster_resources()["CPU"])
        finally:
            ray.shutdown()


def _connect(address: str, settings: Mapping[str, Any]) -> None:
    try:
        ray.init(address, log_to_driver=False, **settings)
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(f"Ray at {address!r}: {_first_line(error)}; `local` starts a cluster on this machine") from error


def _make(parent: Connection, *, function: Callable[[Any], Any], arguments: Sequence[Any]) -> None:
    """Run all calls, one per core, and send each result to the parent; if it disconnects, cancel the others."""
    call, here = ray.remote(num_cpus=1, max_retries=0)(_call), {"folder": os.getcwd(), "path": sys.path}
    parcels = (ForkingPickler.dumps((function, argument)).tobytes() for argument in arguments)
    indices = {call.remote(parcel, **here): index for index, parcel in enumerate(parcels)}
    try:
        while indices and not parent.poll():  # the parent sends nothing more: poll is true once it has disconnected
            answered, _ = ray.wait(list(indices), timeout=PULSE)
            for reference in answered:
                parent.send((indices.pop(reference), _answer(reference)))
    finally:
        for reference in indices:
            ray.cancel(reference, force=True)


def _call(parcel: bytes, *, folder: str, path: Sequence[str]) -> Any:
    """Run a call in the caller's working directory and import path, so that file and module names resolve equally."""
    os.chdir(folder)
    sys.path += [entry for entry in path if entry not in sys.path]
    keep_freed_memory()
    function, argument = ForkingPickler.loads(parcel)
    return function(argument)


def _answer(reference: Any) -> Any:
    """Return a result, or an error that states how the worker was lost without naming a machine."""
    try:
        return ray.get(reference)
    except OutOfMemoryError:
        return RunError("Ray ended the worker, as it ran out of memory; use a smaller model, or fewer runs at a time")
    except RayTaskError as error:
        return RunError(f"the worker failed to start: {type(error.cause).__name__}: {_first_line(error.cause)}")
    except RayError as error:
        return RunError(f"the worker was lost ({type(error).__name__}); if memory ran out, use a smaller model")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "no message")


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as connection, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        serve(connection)
