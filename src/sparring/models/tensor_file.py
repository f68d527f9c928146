"""Tensors on disk with a description as JSON: one file in the safetensors format."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sparring.arrays import briefly
from sparring.errors import ConfigError, SparringError


class TensorFile(NamedTuple):
    """The contents of a file."""

    described: dict[str, Any]
    tensors: dict[str, Tensor]

    def __repr__(self) -> str:
        return briefly(self)


def write_tensors(path: str | Path, kind: str, *, described: Mapping[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write tensors, and their description as JSON under the name of their kind."""
    Path(path).write_bytes(tensor_bytes(kind, described=described, tensors=tensors))


def tensor_bytes(kind: str, *, described: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """Return the content of a file of tensors and their description."""
    # safetensors rejects tensors that share memory or are not contiguous.
    owners = Counter(tensor.untyped_storage().data_ptr() for tensor in tensors.values())
    own = {
        name: tensor.contiguous() if owners[tensor.untyped_storage().data_ptr()] == 1 else _copy(tensor)
        for name, tensor in tensors.items()
    }
    # A single entry, since safetensors writes several in no particular order.
    return save(own, {kind: json.dumps(described)})


def _copy(tensor: Tensor) -> Tensor:
    return tensor.clone(memory_format=torch.contiguous_format)


def read_tensors(path: str | Path, kind: str) -> TensorFile:
    """Read a file that `write_tensors` wrote."""
    with safe_open(path, framework="pt") as file:
        described = json.loads(file.metadata()[kind])
        return TensorFile(described, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  # no mapping


@contextmanager
def reject_other_files(setting: str, path: str | Path, *, holds: str, remedy: str) -> Iterator[None]:
    """Turn the error for a missing or wrong file into one line about the option that names it."""
    try:
        yield
    except SparringError as error:  # its message is more specific
        raise ConfigError(f"{setting} is {str(path)!r}: {error}") from None
    except FileNotFoundError:
        raise ConfigError(f"{setting} is {str(path)!r}; there is no such file, {remedy}") from None
    except (OSError, SafetensorError, TypeError, LookupError, ValueError, RuntimeError):
        raise ConfigError(f"{setting} is {str(path)!r}; it holds no {holds}, {remedy}") from None
