"""A trained attacker: its policies, action decoder and observation settings; and its file format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Batch, briefly
from sparring.attacks.learned.acting import ACTING, ActionDecoder
from sparring.models.tensor_file import read_tensors, reject_other_files, write_tensors
from sparring.policies.encoder import unpack_encoder
from sparring.policies.network import PolicyNetwork
from sparring.registry import build, described_options
from sparring.snapshot import Snapshot

KIND = "attack"
SHIPPED = Path(__file__).parent / "policies"
SUFFIX = ".safetensors"
BYTE = 255
"""Images are stored as bytes."""


class PolicyVersion(NamedTuple):
    """A policy, and the first round in which it is used."""

    since: int
    policy: PolicyNetwork


@dataclass(frozen=True, eq=False)
class TrainedAttack:
    """Policies in the order in which they were learned, and how their actions are decoded."""

    policies: tuple[PolicyVersion, ...]
    acting: ActionDecoder
    layers: int | None = 1
    """Number of last layers of the model in the observation; None means all parameters, unscaled."""
    examples: Batch | None = None
    """Data that searches draw from, such as a learned mixture; None means the attacker's own shards."""

    __repr__ = briefly

    def newest(self, round: int) -> PolicyNetwork:
        """Return the newest policy available in a round, or the first policy if none is available yet."""
        learned = [each.policy for each in self.policies if each.since <= round]
        return learned[-1] if learned else self.policies[0].policy


def save_attack(path: str | Path, trained: TrainedAttack) -> None:
    """Write an attacker to a file in the safetensors format."""
    tensors, numbers = pack_attack(trained)
    write_tensors(path, KIND, described=numbers, tensors=tensors)


def load_attack(path: str | Path) -> TrainedAttack:
    """Read an attacker that `save_attack` wrote."""
    with reject_other_files("attack.policy", path, holds="learned attack", remedy="train one with audit"):
        described, tensors = read_tensors(resolve_policy_path(path), KIND)
        return unpack_attack(Snapshot(tensors, described))


def resolve_policy_path(policy: str | Path) -> Path:
    """Return the path that an option names; `@name` is a policy shipped with Sparring."""
    name = str(policy)
    return SHIPPED / f"{name[1:].removesuffix(SUFFIX)}{SUFFIX}" if name.startswith("@") else Path(policy)


def is_shipped(policy: Path) -> bool:
    """Say whether a path lies in the folder of shipped policies, whether or not the file exists."""
    return policy.resolve().is_relative_to(SHIPPED.resolve())


def pack_attack(trained: TrainedAttack) -> Snapshot:
    """Return an attacker as a snapshot."""
    name = next(name for name, kind in ACTING.items() if isinstance(trained.acting, kind))
    policies = [_describe_policy(version) for version in trained.policies]
    acting = {"name": name, **described_options(trained.acting)}
    return Snapshot(_tensors(trained), {"acting": acting, "layers": trained.layers, "policies": policies})


def unpack_attack(packed: Snapshot) -> TrainedAttack:
    """Return the attacker in a snapshot."""
    tensors, described = packed
    has_examples = "examples.inputs" in tensors
    return TrainedAttack(
        policies=tuple(_policy(index, each, tensors=tensors) for index, each in enumerate(described["policies"])),
        acting=build("acting", ACTING, described["acting"]),
        layers=described["layers"],
        examples=Batch(tensors["examples.inputs"], tensors["examples.labels"]) if has_examples else None,
    )


def _tensors(trained: TrainedAttack) -> dict[str, Tensor]:
    weights = {
        f"{index}.{depth}.{part}": tensor.contiguous()
        for index, (_, policy) in enumerate(trained.policies)
        for depth, layer in enumerate(policy.layers)
        for part, tensor in zip(("weight", "bias"), layer, strict=True)
    }
    for place, (_, policy) in enumerate(trained.policies):
        if policy.encoder is not None:
            weights |= {f"{place}.encoder.{name}": each for name, each in policy.encoder.pack().tensors.items()}
    if trained.examples is None:
        return weights
    inputs, labels = trained.examples
    return {**weights, "examples.inputs": _to_bytes(inputs).contiguous(), "examples.labels": labels.contiguous()}


def _to_bytes(inputs: Tensor) -> Tensor:
    """Convert pixels in [0, 1] to bytes; return all other inputs unchanged."""
    are_pixels = inputs.is_floating_point() and bool(((inputs >= 0) & (inputs <= 1)).all())
    return (inputs * BYTE).round().to(torch.uint8) if are_pixels else inputs


def _describe_policy(version: PolicyVersion) -> dict[str, Any]:
    since, policy = version
    described = {"since": since, "hidden": policy.hidden, "squash": policy.squash, "depth": len(policy.layers)}
    return described if policy.encoder is None else {**described, "encoder": policy.encoder.pack().numbers}


def _policy(index: int, described: dict[str, Any], *, tensors: dict[str, Tensor]) -> PolicyVersion:
    layers = [
        (tensors[f"{index}.{depth}.weight"], tensors[f"{index}.{depth}.bias"]) for depth in range(described["depth"])
    ]
    encoder = None
    if "encoder" in described:
        prefix = f"{index}.encoder."
        own = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        encoder = unpack_encoder(Snapshot(own, described["encoder"]))
    network = PolicyNetwork(tuple(layers), described["hidden"], described["squash"], encoder)
    return PolicyVersion(described["since"], network)
