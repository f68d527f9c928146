"""Tensors on disk with a description of what they are: one file in the safetensors format."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sparring.arrays import briefly
from sparring.errors import ConfigError, SparringError


class TensorFile(NamedTuple):
    """What a file holds."""

    described: dict[str, Any]
    tensors: dict[str, Tensor]

    def __repr__(self) -> str:
        return briefly(self)


def write_tensors(path: str | Path, kind: str, *, described: Mapping[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write tensors, and their description as JSON under the name of their kind."""
    # One entry: safetensors writes several in no particular order.
    Path(path).write_bytes(save(tensors, {kind: json.dumps(described)}))


def read_tensors(path: str | Path, kind: str) -> TensorFile:
    """Read what `write_tensors` wrote."""
    with safe_open(path, framework="pt") as file:
        described = json.loads(file.metadata()[kind])
        return TensorFile(described, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  # no mapping


@contextmanager
def refusing_others(setting: str, path: str | Path, *, holds: str, remedy: str) -> Iterator[None]:
    """Turn a file that is missing, or of another kind, into one line about the setting that names it."""
    try:
        yield
    except SparringError as error:  # it says more than that the file is of another kind
        raise ConfigError(f"{setting} is {str(path)!r}: {error}") from None
    except FileNotFoundError:
        raise ConfigError(f"{setting} is {str(path)!r}; there is no such file, {remedy}") from None
    except (OSError, SafetensorError, TypeError, LookupError, ValueError, RuntimeError):
        raise ConfigError(f"{setting} is {str(path)!r}; it holds no {holds}, {remedy}") from None
