"""Action space of a defender's policy: numbers in [-1, 1] are decoded to a rule and a post-training defense."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
import torch

from sparring.arrays import FloatArray
from sparring.contracts import Memory, Repair, RoundPlan, ServerView
from sparring.defenses.aggregation.clipped_trimmed_mean import ClippedTrimmedMean
from sparring.defenses.post_training.neuroclip import NeuroClip
from sparring.defenses.post_training.no_repair import NoRepair
from sparring.defenses.post_training.prun import Prun
from sparring.errors import ConfigError
from sparring.policies.action_space import Range, map_to_range

ACTION = "action"
"""The name of the last action in a server's memory."""


@dataclass(frozen=True)
class DefenseActions:
    """Decode an action to α, β and the post-training defense's ε or σ (MSG, appendix C), in this order.

    α and ε are mapped logarithmically to their ranges, β and σ linearly. Without a post-training defense an action has
    two numbers.
    """

    max_norm: Range = (0.01, 10.0)
    """α: norm bound on updates."""
    trim: Range = (0.0, 0.9)
    """β: fraction of values trimmed."""
    repair: Literal["none", "neuroclip", "prun"] = "neuroclip"
    bound: Range = (1.0, 10.0)
    """ε, the range that NeuroClip clips activations to."""
    share: Range = (0.0, 0.9)
    """σ, the fraction of the channels that Prun prunes."""

    def __post_init__(self) -> None:
        for name, (low, high) in {"max_norm": self.max_norm, "bound": self.bound}.items():
            if not 0 < low <= high < inf:
                raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from above 0")
        for name, (low, high) in {"trim": self.trim, "share": self.share}.items():
            if not 0 <= low <= high < 1:
                raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from at least 0 to below 1")
        if self.repair not in ("none", "neuroclip", "prun"):
            raise ConfigError(f"acting.repair is {self.repair!r}; it must be none, neuroclip or prun")

    @property
    def size(self) -> int:
        """How many numbers an action has."""
        return 2 if self.repair == "none" else 3

    def decode(self, action: FloatArray) -> RoundPlan:
        """Return what an action encodes; its numbers are clipped to [-1, 1]."""
        max_norm, trim, *strength = (float(number) for number in action)
        rule = ClippedTrimmedMean(map_to_range(max_norm, self.max_norm, spacing="log"), map_to_range(trim, self.trim))
        return RoundPlan(rule, self._repair(*strength))

    def _repair(self, strength: float = -1.0) -> Repair:
        if self.repair == "neuroclip":
            return NeuroClip(map_to_range(strength, self.bound, spacing="log"))
        return Prun(map_to_range(strength, self.share)) if self.repair == "prun" else NoRepair()


ACTING: Mapping[str, type[DefenseActions]] = {"clipped_trimmed_mean": DefenseActions}
"""The action decoders, by their names in a saved policy: the rule that they set."""


@dataclass(frozen=True)
class ActionServer:
    """The server that plans what an action encodes: the rule and the repair of this same action."""

    acting: DefenseActions
    action: tuple[float, ...] = ()
    initial: Repair | None = None
    """The repair of a model that no planned round has led to."""

    def plan(self, view: ServerView, memory: Memory) -> tuple[RoundPlan, Memory]:
        action = np.array(self.action, dtype=np.float32)
        return self.acting.decode(action), {ACTION: torch.from_numpy(action)}

    def deployed(self, memory: Memory) -> Repair | None:
        return self.acting.decode(memory[ACTION].numpy(force=True)).repair if ACTION in memory else self.initial
