"""Tensors in a file by their names, in the safetensors format; no pickle is read or written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sparring.errors import ConfigError

KEY = "sparring"
"""The entry of a file's header that holds the facts."""


class NamedTensors(NamedTuple):
    """What a file holds; other software writes no facts."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def write_named(path: str | Path, tensors: Mapping[str, Tensor], *, facts: Mapping[str, Any]) -> None:
    """Write tensors, and facts about them as JSON."""
    # safetensors takes no tensors that share memory or lie in another order.
    apart = {name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    Path(path).write_bytes(save(apart, {KEY: json.dumps(facts)}))


def read_named(path: str | Path) -> NamedTensors:
    """Read a file of tensors; what is none is refused in one line."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = (file.metadata() or {}).get(KEY, "{}")
            return NamedTensors({name: file.get_tensor(name) for name in file.keys()}, json.loads(facts))  # noqa: SIM118
    except FileNotFoundError:
        raise ConfigError(f"there is no file {str(path)!r}; give one that Model.save wrote") from None
    except (OSError, SafetensorError, ValueError):
        raise ConfigError(f"{str(path)!r} is no safetensors file; give one that Model.save wrote") from None


def normalization(network: object) -> dict[str, list[float]]:
    """Return what a network subtracts from its inputs and divides them by, where it says so."""
    known = {name: getattr(network, name, None) for name in ("mean", "std")}
    return {name: value.flatten().tolist() for name, value in known.items() if isinstance(value, Tensor)}


def fill(parameters: Tensor, places: Mapping[str, Tensor], *, tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Write the tensors of a file to their places, which are views of the parameters or what is no part of them."""
    if tensors.keys() != places.keys():
        differing = sorted(tensors.keys() ^ places.keys())[0]
        remedy = "load_model reads the file of a run" if "parameters" in tensors else "give the network that was saved"
        raise ConfigError(f"{path} and the network differ in {differing!r}; {remedy}")
    for name, place in places.items():
        _fill(place, tensors[name], label=f"{path}: {name!r}", parameters=parameters)


def _fill(place: Tensor, tensor: Tensor, *, label: str, parameters: Tensor) -> None:
    """Write a tensor to its place in the parameters; one that is no part of them must be what it is."""
    if tensor.shape != place.shape:
        raise ConfigError(f"{label} is of shape {list(tensor.shape)}; the network has {list(place.shape)}")
    if place.untyped_storage().data_ptr() == parameters.untyped_storage().data_ptr():
        place.copy_(tensor)
    elif not torch.equal(place, tensor):
        raise ConfigError(f"{label} is no parameter, and is not what the network has; give the network that was saved")
