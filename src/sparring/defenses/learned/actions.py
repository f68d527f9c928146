"""Action spaces of a defender's policy: numbers in [-1, 1] are decoded to a rule and a post-training defense."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal, Protocol

import numpy as np
import torch

from sparring.arrays import FloatArray
from sparring.contracts import Memory, Repair, RoundPlan, ServerView
from sparring.defenses.aggregation.clipped_trimmed_mean import ClippedTrimmedMean
from sparring.defenses.aggregation.graded_trust import GradedTrust
from sparring.defenses.post_training.neuroclip import NeuroClip
from sparring.defenses.post_training.no_repair import NoRepair
from sparring.defenses.post_training.prun import Prun
from sparring.errors import ConfigError
from sparring.policies.action_space import Range, map_from_range, map_to_range
from sparring.registry import ADDED_LATER

ACTION = "action"
"""The name of the last action in a server's memory."""

RepairName = Literal["none", "neuroclip", "prun"]
"""The post-training defense whose strength is part of the action."""


class PlanDecoder(Protocol):
    """What the numbers of a defender's action mean."""

    @property
    def size(self) -> int:
        """How many numbers an action has."""

    @property
    def needs_root(self) -> bool:
        """Whether some action uses the server's root data."""

    @property
    def anchors(self) -> Mapping[str, FloatArray]:
        """The actions nearest to fixed rules, by their names: where a search may begin."""

    def decode(self, action: FloatArray) -> RoundPlan:
        """Return what an action encodes; its numbers are clipped to [-1, 1]."""


@dataclass(frozen=True)
class DefenseActions:
    """The published space: an action is α, β and the post-training defense's ε or σ (MSG, appendix C), in this order.

    α and ε are mapped logarithmically to their ranges, β and σ linearly. Without a post-training defense an action has
    two numbers.
    """

    max_norm: Range = (0.01, 10.0)
    """α: norm bound on updates."""
    trim: Range = (0.0, 0.9)
    """β: fraction of values trimmed."""
    repair: RepairName = "neuroclip"
    bound: Range = (1.0, 10.0)
    """ε, the range that NeuroClip clips activations to."""
    share: Range = (0.0, 0.9)
    """σ, the fraction of the channels that Prun prunes."""
    relative: bool = field(default=False, metadata=ADDED_LATER)
    """Whether α is in multiples of the round's median norm."""

    def __post_init__(self) -> None:
        _check_positive(max_norm=self.max_norm, bound=self.bound)
        _check_within(0, 1, trim=self.trim, share=self.share)
        _check_repair(self.repair)

    @property
    def size(self) -> int:
        return 2 if self.repair == "none" else 3

    @property
    def anchors(self) -> Mapping[str, FloatArray]:
        return {name: _encode(self, numbers) for name, numbers in PUBLISHED.items()}

    @property
    def needs_root(self) -> bool:
        return self.repair == "prun"

    def decode(self, action: FloatArray) -> RoundPlan:
        max_norm, trim, *strength = (float(number) for number in action)
        rule = ClippedTrimmedMean(
            map_to_range(max_norm, self.max_norm, spacing="log"),
            map_to_range(trim, self.trim),
            relative=self.relative,
        )
        return RoundPlan(rule, _decode_repair(self, *strength))


@dataclass(frozen=True)
class SynthesisActions:
    """A wider space, whose constant actions include fixed rules: the numbers of `graded_trust` in each round.

    An action is c, β, λ, ℓ, τ, p and the post-training defense's ε or σ, in this order; c and ε are mapped
    logarithmically to their ranges. At λ = 0 no root data count: the rule clips to c times the median norm and trims.
    """

    max_norm: Range = (0.1, 10.0)
    """c: norm bound in multiples of the norm of the server's own update, or of the median norm."""
    trim: Range = (0.0, 0.9)
    """β: fraction of values trimmed of the rows that are kept."""
    trust: Range = (0.0, 1.0)
    """λ: from no root data to full trust."""
    lift: Range = (0.0, 1.0)
    """ℓ: whether short rows are left as they are, or brought to the bound."""
    threshold: Range = (-0.5, 0.5)
    """τ: the cosine with the server's own update above which a row is trusted."""
    power: Range = (0.0, 4.0)
    """p: how much more a row is trusted that agrees more."""
    repair: RepairName = "neuroclip"
    bound: Range = (1.0, 10.0)
    """ε, the range that NeuroClip clips activations to."""
    share: Range = (0.0, 0.9)
    """σ, the fraction of the channels that Prun prunes."""
    relative: bool = True
    """Whether the bound at λ = 0 is in multiples of the median norm; otherwise it is a norm itself."""

    def __post_init__(self) -> None:
        _check_positive(max_norm=self.max_norm, bound=self.bound)
        _check_within(0, 1, trim=self.trim, share=self.share)
        _check_within(-1, 1, threshold=self.threshold)
        _check_within(0, 1, includes=True, trust=self.trust, lift=self.lift)
        _check_within(0, 100, includes=True, power=self.power)
        _check_repair(self.repair)

    @property
    def size(self) -> int:
        return 6 if self.repair == "none" else 7

    @property
    def anchors(self) -> Mapping[str, FloatArray]:
        return {name: _encode(self, numbers) for name, numbers in SYNTHESIZED.items()}

    @property
    def needs_root(self) -> bool:
        return self.trust[1] > 0 or self.repair == "prun"

    def decode(self, action: FloatArray) -> RoundPlan:
        max_norm, trim, trust, lift, threshold, power, *strength = (float(number) for number in action)
        rule = GradedTrust(
            max_norm=map_to_range(max_norm, self.max_norm, spacing="log"),
            trim=map_to_range(trim, self.trim),
            trust=map_to_range(trust, self.trust),
            lift=map_to_range(lift, self.lift),
            threshold=map_to_range(threshold, self.threshold),
            power=map_to_range(power, self.power),
            relative=self.relative,
        )
        return RoundPlan(rule, _decode_repair(self, *strength))


PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "mean": {"max_norm": inf, "trim": 0.0},
    "trimmed_mean": {"max_norm": inf, "trim": 0.4},
    "clipping_median": {"max_norm": 2.0, "trim": 1.0},
    "clipped_trimmed_mean": {"max_norm": 0.5, "trim": 0.4},
}
"""The numbers of fixed rules in the published space."""
WITHOUT_ROOT: Mapping[str, float] = {"trust": 0.0, "lift": 0.0, "threshold": 0.0, "power": 0.0}
SYNTHESIZED: Mapping[str, Mapping[str, float]] = {
    **{name: {**numbers, **WITHOUT_ROOT} for name, numbers in PUBLISHED.items()},
    "fltrust": {"max_norm": 1.0, "trim": 0.0, "trust": 1.0, "lift": 1.0, "threshold": 0.0, "power": 1.0},
    "graded_trust": {"max_norm": 3.0, "trim": 0.0, "trust": 1.0, "lift": 1.0, "threshold": 0.0, "power": 2.0},
}
"""Those in the wider space."""
WEAKEST: Mapping[RepairName, tuple[float, ...]] = {"none": (), "neuroclip": (1.0,), "prun": (-1.0,)}
"""The number of an action that changes a model least."""


def _encode(acting: "DefenseActions | SynthesisActions", numbers: Mapping[str, float]) -> FloatArray:
    """Return the action nearest to a rule's numbers, which are in the order of the action."""
    action = [
        map_from_range(number, getattr(acting, name), spacing="log" if name == "max_norm" else "linear")
        for name, number in numbers.items()
    ]
    return np.array([*action, *WEAKEST[acting.repair]], dtype=np.float32)


def _decode_repair(acting: DefenseActions | SynthesisActions, strength: float = -1.0) -> Repair:
    """Return the post-training defense of an action's last number; without one its action has no such number."""
    if acting.repair == "neuroclip":
        return NeuroClip(map_to_range(strength, acting.bound, spacing="log"))
    return Prun(map_to_range(strength, acting.share)) if acting.repair == "prun" else NoRepair()


def _check_positive(**ranges: Range) -> None:
    for name, (low, high) in ranges.items():
        if not 0 < low <= high < inf:
            raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from above 0")


def _check_within(least: float, most: float, *, includes: bool = False, **ranges: Range) -> None:
    """Reject ranges that begin below `least`, or go beyond `most`, which they may include."""
    for name, (low, high) in ranges.items():
        if not least <= low <= high <= most or (high == most and not includes):
            end = f"at most {most}" if includes else f"below {most}"
            raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from at least {least} to {end}")


def _check_repair(repair: str) -> None:
    if repair not in ("none", "neuroclip", "prun"):
        raise ConfigError(f"acting.repair is {repair!r}; it must be none, neuroclip or prun")


ACTING: Mapping[str, type[DefenseActions | SynthesisActions]] = {
    "clipped_trimmed_mean": DefenseActions,
    "published": DefenseActions,
    "synthesis": SynthesisActions,
}
"""The action spaces by name; a saved policy calls the published one by the rule that it sets."""


@dataclass(frozen=True)
class ActionServer:
    """The server that plans what an action encodes: the rule and the repair of this same action."""

    acting: PlanDecoder
    action: tuple[float, ...] = ()
    initial: Repair | None = None
    """The repair of a model that no planned round has led to."""

    @property
    def needs_root(self) -> bool:
        return self.acting.needs_root

    def plan(self, view: ServerView, memory: Memory) -> tuple[RoundPlan, Memory]:
        action = np.array(self.action, dtype=np.float32)
        return self.acting.decode(action), {ACTION: torch.from_numpy(action)}

    def deployed(self, memory: Memory) -> Repair | None:
        return self.acting.decode(memory[ACTION].numpy(force=True)).repair if ACTION in memory else self.initial
