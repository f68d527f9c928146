"""Named tensors in a safetensors file; no pickle is read or written."""

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
"""The key of the file's header entry that holds the facts."""


class NamedTensors(NamedTuple):
    """The contents of a file; files of other software have no facts."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def write_named(path: str | Path, tensors: Mapping[str, Tensor], *, facts: Mapping[str, Any]) -> None:
    """Write tensors, with facts about them as JSON."""
    # safetensors rejects tensors that share memory or are not contiguous.
    apart = {name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    Path(path).write_bytes(save(apart, {KEY: json.dumps(facts)}))


def read_named(path: str | Path) -> NamedTensors:
    """Read a file of tensors; reject any other file with a one-line error."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = (file.metadata() or {}).get(KEY, "{}")
            return NamedTensors({name: file.get_tensor(name) for name in file.keys()}, json.loads(facts))  # noqa: SIM118
    except FileNotFoundError:
        raise ConfigError(f"there is no file {str(path)!r}; give one that Model.save wrote") from None
    except (OSError, SafetensorError, ValueError):
        raise ConfigError(f"{str(path)!r} is not a safetensors file; give one that Model.save wrote") from None


def normalization(network: object) -> dict[str, list[float]]:
    """Return the mean and std that a network normalizes its inputs with, if it has them."""
    known = {name: getattr(network, name, None) for name in ("mean", "std")}
    return {name: value.flatten().tolist() for name, value in known.items() if isinstance(value, Tensor)}


def fill(parameters: Tensor, targets: Mapping[str, Tensor], *, tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Copy a file's tensors into `targets`, which are views of the parameters, or tensors that are not parameters."""
    if tensors.keys() != targets.keys():
        differing = sorted(tensors.keys() ^ targets.keys())[0]
        remedy = "load_model reads the file of a run" if "parameters" in tensors else "give the network that was saved"
        raise ConfigError(f"{path} and the network differ in {differing!r}; {remedy}")
    for name, target in targets.items():
        _fill(target, tensors[name], label=f"{path}: {name!r}", parameters=parameters)


def _fill(target: Tensor, tensor: Tensor, *, label: str, parameters: Tensor) -> None:
    """Copy a tensor into its view of the parameters; a tensor that is not a parameter must be equal already."""
    if tensor.shape != target.shape:
        raise ConfigError(f"{label} is of shape {list(tensor.shape)}; the network has {list(target.shape)}")
    if target.untyped_storage().data_ptr() == parameters.untyped_storage().data_ptr():
        target.copy_(tensor)
    elif not torch.equal(target, tensor):
        raise ConfigError(f"{label} is not a parameter and differs from the network's; give the network that was saved")
