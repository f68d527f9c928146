"""A learned player as one file: the policies of an attacker or a defender, and what they observe and decide."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import torch
from safetensors import safe_open
from torch import Tensor

from sparring.arrays import Batch, briefly
from sparring.contracts import Team
from sparring.errors import ConfigError
from sparring.models.tensor_file import read_tensors, reject_other_files, write_tensors
from sparring.policies.encoder import FeatureEncoder, unpack_encoder
from sparring.policies.network import PolicyNetwork
from sparring.policies.observation import Features
from sparring.registry import ALONE, Families, Table, build, described_options, to_section
from sparring.snapshot import Snapshot

Side = Literal["attack", "defense"]
SHIPPED = Path(__file__).parent / "zoo"
SUFFIX = ".safetensors"
BYTE = 255
"""Images are stored as bytes."""
REMEDY: Mapping[Side, str] = {"attack": "train one with audit", "defense": "write one with save_policy"}


class PolicyVersion(NamedTuple):
    """A policy, and the first round in which it is used."""

    since: int
    policy: PolicyNetwork


@dataclass(frozen=True, eq=False)
class SavedPolicy:
    """The policies of one player, in the order in which they were learned."""

    side: Side
    versions: tuple[PolicyVersion, ...]
    acting: Mapping[str, Any]
    """The decoder of its actions: the name in the side's own table of decoders, and the options."""
    layers: int | None = 1
    """Number of last layers of the model in the observation; None means all parameters, unscaled."""
    examples: Batch | None = None
    """Data that an attacker's searches draw from, such as a learned mixture; None means its clients' own shards."""
    card: Mapping[str, Any] | None = None
    """Provenance as JSON values of any form, such as the game that it was trained in."""
    features: Features | None = None
    """What an attacker's policy observes beside the model; None means the share of malicious clients alone."""
    team: Team | None = None
    """The team that it was trained for, whose members' network it holds; None means a single attacker."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.side not in get_args(Side):
            raise ConfigError(f"policy.side is {self.side!r}; it must be one of: {', '.join(get_args(Side))}")
        observed = 0 if self.features is None else self.features.size
        needed = max((_count_features(version.policy) for version in self.versions), default=0)
        if needed > observed:
            raise ConfigError(f"policy.features has {observed} numbers; the policy observes {needed}, give Features")

    def newest(self, round: int) -> PolicyNetwork:
        """Return the newest policy available in a round, or the first policy if none is available yet."""
        learned = [each.policy for each in self.versions if each.since <= round]
        return learned[-1] if learned else self.versions[0].policy

    def of_team(self, *, is_team: bool, path: str) -> "SavedPolicy":
        """Return itself; reject the policy of one attacker where a team's is needed, and the other way round."""
        if (self.team is not None) is not is_team:
            held, name = ("one attacker", "learned") if is_team else ("a team", "coordinated")
            raise ConfigError(f"{self.side}.policy is {path!r}; it is the policy of {held}, use attack.name={name}")
        return self

    def check(self, observation: int, *, path: str) -> None:
        """Reject policies for a model of another size; this model shows `observation` numbers."""
        if not self.versions:
            raise ConfigError(f"{self.side}.policy is {path!r}; it holds no policy yet, {REMEDY[self.side]}")
        policy = self.versions[0].policy
        if not policy.fits(observation):
            raise ConfigError(
                f"{self.side}.policy is {path!r}; it sees {policy.inputs} numbers, this model shows {observation}"
            )


def decoder_section(decoder: Any, table: Table, families: Families = ALONE) -> dict[str, Any]:
    """Return the section that describes a decoder: its name in the table, and its options.

    An option that is itself a member of one of the families, such as a trigger, is a section.
    """
    name = next(name for name, kind in table.items() if isinstance(kind, type) and isinstance(decoder, kind))
    tables = list(families.values())
    options = described_options(decoder).items()
    nested = {option: to_section(value, tables) for option, value in options if is_dataclass(value)}
    return {"name": name, **dict(options), **nested}


def build_decoder(saved: SavedPolicy, table: Table, *, path: str, families: Families = ALONE) -> Any:
    """Return the decoder that a policy read from `path` names; a wrong description is one line about the path."""
    with reject_other_files(f"{saved.side}.policy", path, holds=f"learned {saved.side}", remedy=REMEDY[saved.side]):
        return build("acting", table, saved.acting, families=families)


def save_policy(path: str | Path, saved: SavedPolicy) -> None:
    """Write a policy to a file in the safetensors format."""
    tensors, numbers = pack_policy(saved)
    write_tensors(path, saved.side, described=numbers, tensors=tensors)


def load_policy(path: str | Path, side: Side) -> SavedPolicy:
    """Read the policy of one side that `save_policy` wrote; `@name` is a policy shipped with Sparring."""
    with reject_other_files(f"{side}.policy", path, holds=f"learned {side}", remedy=REMEDY[side]):
        file = resolve_policy_path(path)
        _check_side(file, side)
        described, tensors = read_tensors(file, side)
        return unpack_policy(Snapshot(tensors, described), side)


def _check_side(path: Path, side: Side) -> None:
    with safe_open(path, framework="pt") as file:
        others = (file.metadata() or {}).keys() & set(get_args(Side)) - {side}
    if others:
        raise ConfigError(f"it holds the policy for {min(others)}.name=learned, {REMEDY[side]}")


def resolve_policy_path(policy: str | Path) -> Path:
    """Return the path that an option names; `@name` is a policy shipped with Sparring."""
    name = str(policy)
    return SHIPPED / f"{name[1:].removesuffix(SUFFIX)}{SUFFIX}" if name.startswith("@") else Path(policy)


def is_shipped(policy: Path) -> bool:
    """Say whether a path lies in the folder of shipped policies, whether or not the file exists."""
    return policy.resolve().is_relative_to(SHIPPED.resolve())


def pack_policy(saved: SavedPolicy) -> Snapshot:
    """Return a policy as a snapshot."""
    described: dict[str, Any] = {
        "acting": dict(saved.acting),
        "layers": saved.layers,
        "policies": [_describe_version(version) for version in saved.versions],
    }
    if saved.features is not None:
        described["features"] = asdict(saved.features)
    if saved.team is not None:
        described["team"] = saved.team._asdict()
    return Snapshot(_tensors(saved), described if saved.card is None else {**described, "card": dict(saved.card)})


def unpack_policy(packed: Snapshot, side: Side) -> SavedPolicy:
    """Return the policy in a snapshot."""
    tensors, described = packed
    has_examples = "examples.inputs" in tensors
    return SavedPolicy(
        side,
        versions=tuple(_version(index, each, tensors=tensors) for index, each in enumerate(described["policies"])),
        acting=described["acting"],
        layers=described["layers"],
        examples=Batch(tensors["examples.inputs"], tensors["examples.labels"]) if has_examples else None,
        card=described.get("card"),
        features=Features(**described["features"]) if "features" in described else None,
        team=Team(**described["team"]) if "team" in described else None,
    )


def _count_features(policy: PolicyNetwork) -> int:
    return policy.encoder.features if isinstance(policy.encoder, FeatureEncoder) else 0


def _tensors(saved: SavedPolicy) -> dict[str, Tensor]:
    weights = {
        f"{index}.{depth}.{part}": tensor.contiguous()
        for index, (_, policy) in enumerate(saved.versions)
        for depth, layer in enumerate(policy.layers)
        for part, tensor in zip(("weight", "bias"), layer, strict=True)
    }
    for index, (_, policy) in enumerate(saved.versions):
        if policy.encoder is not None:
            weights |= {f"{index}.encoder.{name}": each for name, each in policy.encoder.pack().tensors.items()}
    if saved.examples is None:
        return weights
    inputs, labels = saved.examples
    return {**weights, "examples.inputs": _to_bytes(inputs).contiguous(), "examples.labels": labels.contiguous()}


def _to_bytes(inputs: Tensor) -> Tensor:
    """Convert pixels in [0, 1] to bytes; return all other inputs unchanged."""
    are_pixels = inputs.is_floating_point() and bool(((inputs >= 0) & (inputs <= 1)).all())
    return (inputs * BYTE).round().to(torch.uint8) if are_pixels else inputs


def _describe_version(version: PolicyVersion) -> dict[str, Any]:
    since, policy = version
    described = {"since": since, "hidden": policy.hidden, "squash": policy.squash, "depth": len(policy.layers)}
    return described if policy.encoder is None else {**described, "encoder": policy.encoder.pack().numbers}


def _version(index: int, described: dict[str, Any], *, tensors: dict[str, Tensor]) -> PolicyVersion:
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
