"""The process that talks to Ray for `ray_workers`: it makes calls on a cluster for as long as its parent listens."""

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
"""Seconds after which to see whether the parent is still there."""


def serve(parent: Connection) -> None:
    """Say how many cores there are, then make the calls that were asked for."""
    sys.path[:] = parent.recv()  # before what comes next, which is imported from there
    address, sizes, function, arguments = parent.recv()
    try:
        with _cluster(address, sizes) as cores:
            parent.send(cores)
            _make(parent, function=function, arguments=arguments)
    except RunError as error:
        parent.send(error)


@contextmanager
def _cluster(address: str, sizes: Mapping[str, int]) -> Iterator[int]:
    """Stay connected to a cluster, and yield how many cores it has; one that is started leaves nothing behind."""
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
    """Make all calls, a core each, and tell the parent of each answer; where it is gone, end what is left."""
    call, here = ray.remote(num_cpus=1, max_retries=0)(_call), {"folder": os.getcwd(), "path": sys.path}
    parcels = (ForkingPickler.dumps((function, argument)).tobytes() for argument in arguments)
    places = {call.remote(parcel, **here): place for place, parcel in enumerate(parcels)}
    try:
        while places and not parent.poll():  # it says nothing more: there is something to read when it has hung up
            answered, _ = ray.wait(list(places), timeout=PULSE)
            for reference in answered:
                parent.send((places.pop(reference), _answer(reference)))
    finally:
        for reference in places:
            ray.cancel(reference, force=True)


def _call(parcel: bytes, *, folder: str, path: Sequence[str]) -> Any:
    """Make a call where the caller stands: names of files and of modules mean there what they mean to it."""
    os.chdir(folder)
    sys.path += [entry for entry in path if entry not in sys.path]
    keep_freed_memory()
    function, argument = ForkingPickler.loads(parcel)
    return function(argument)


def _answer(reference: Any) -> Any:
    """Return an answer, or an error that says how the worker was lost, and names no machine."""
    try:
        return ray.get(reference)
    except OutOfMemoryError:
        return RunError("Ray ended the worker, since memory ran out; play a smaller model, or fewer runs at a time")
    except RayTaskError as error:
        return RunError(f"the worker did not come to play: {type(error.cause).__name__}: {_first_line(error.cause)}")
    except RayError as error:
        return RunError(f"the worker was lost ({type(error).__name__}); if memory ran out, play a smaller model")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "no message")


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as connection, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        serve(connection)
