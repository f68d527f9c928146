"""Snapshots of a Stable-Baselines3 learner: everything that its next step depends on, without pickle."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import Tensor

from sparring.snapshot import Snapshot

COUNTERS = ("num_timesteps", "_n_updates", "_episode_num")
LATEST = ("_last_obs", "_last_episode_starts")
"""The last observations of the environments, and which of them have just started an episode."""
TRANSITIONS = ("observations", "actions", "rewards", "dones")
OPTIMIZER = "param_groups"
"""The key that identifies an optimizer's state among those of networks."""


def pack_algorithm(algorithm: BaseAlgorithm) -> Snapshot:
    """Copy an algorithm's networks, optimizers, counters and replay buffer."""
    latest = {name: torch.tensor(vars(algorithm)[name]) for name in LATEST}
    numbers: dict[str, Any] = {name: vars(algorithm)[name] for name in COUNTERS}
    numbers["warmup"] = algorithm.action_space.np_random.bit_generator.state
    tensors = {**dict(_weights(algorithm)), **latest}
    if isinstance(algorithm, OffPolicyAlgorithm):
        buffer = _buffer(algorithm)
        tensors |= {name: torch.tensor(getattr(buffer, name)[: buffer.size()]) for name in TRANSITIONS}
        numbers |= {"position": buffer.pos, "full": buffer.full}
    return Snapshot(tensors, numbers)


def unpack_algorithm(algorithm: BaseAlgorithm, packed: Snapshot) -> None:
    """Restore a packed state in a new algorithm with the same settings."""
    tensors, numbers = packed
    parts: dict[str, Any] = _parts(algorithm, tensors)
    algorithm.set_parameters(parts, device=algorithm.device)
    vars(algorithm).update({name: tensors[name].numpy().copy() for name in LATEST})
    vars(algorithm).update({name: numbers[name] for name in COUNTERS})
    algorithm.action_space.np_random.bit_generator.state = numbers["warmup"]
    if isinstance(algorithm, OffPolicyAlgorithm):
        buffer = _buffer(algorithm)
        buffer.pos, buffer.full = numbers["position"], numbers["full"]
        for name in TRANSITIONS:
            getattr(buffer, name)[: buffer.size()] = tensors[name].numpy()


def linear_layers(packed: Snapshot, *modules: str) -> tuple[tuple[Tensor, Tensor], ...]:
    """Return the weight and the bias of every fully connected layer of some modules, first layer first."""
    names = [name.removesuffix(".weight") for name in packed.tensors if name.endswith(".weight")]
    own = [sorted((name for name in names if name.startswith(each)), key=_by_number) for each in modules]
    return tuple((packed.tensors[f"{name}.weight"], packed.tensors[f"{name}.bias"]) for each in own for name in each)


def _by_number(name: str) -> tuple[int, str]:
    """Return a key that puts layer 10 after layer 2."""
    return len(name), name


def _weights(algorithm: BaseAlgorithm) -> Iterator[tuple[str, Tensor]]:
    """Yield copies of the networks' parameters and of the optimizers' state for each."""
    for part, content in algorithm.get_parameters().items():
        if OPTIMIZER in content:
            for index, known in content["state"].items():
                yield from ((f"{part}/{index}/{name}", value.clone()) for name, value in known.items())
        else:
            yield from ((f"{part}/{name}", value.clone()) for name, value in content.items())


def _parts(algorithm: BaseAlgorithm, tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """Return `algorithm.get_parameters()` with the values from `tensors`."""
    parts = algorithm.get_parameters()
    for part, content in parts.items():
        own = {name.removeprefix(f"{part}/"): value for name, value in tensors.items() if name.startswith(f"{part}/")}
        parts[part] = {**content, "state": _by_index(own)} if OPTIMIZER in content else own
    return parts


def _by_index(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for path, value in tensors.items():
        index, name = path.split("/")
        state[int(index)][name] = value.clone()  # an optimizer modifies its state in place
    return dict(state)


def _buffer(algorithm: OffPolicyAlgorithm) -> ReplayBuffer:
    assert algorithm.replay_buffer is not None
    return algorithm.replay_buffer
