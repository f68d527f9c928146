"""Action spaces of an attacker's policy: numbers in [-1, 1] are decoded to an attack for one round."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar, Literal, Protocol

import numpy as np
import torch

from sparring.arrays import FloatArray, Matrix, Vector
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.attacks.backdoor.triggers.bars import Bars
from sparring.attacks.learned.local_search import LocalSearch, Variant
from sparring.attacks.learned.poisoned_search import PoisonedSearch
from sparring.attacks.learned.portfolio import DIRECTIONS, Portfolio
from sparring.contracts import Attack, BlackBoxView, Network, Trigger
from sparring.errors import ConfigError
from sparring.policies.action_space import Range, Spacing, map_to_range
from sparring.registry import ADDED_LATER


class ActionDecoder(Protocol):
    """The decoding of a policy's action to an attack."""

    def size(self, network: Network) -> int:
        """Return how many numbers an action has."""

    def attack(self, action: FloatArray) -> Attack:
        """Return the attack that an action encodes; its numbers are clipped to [-1, 1]."""


@dataclass(frozen=True)
class LocalSearchActions:
    """Decode an action to γ, E and λ, in this order, of RLA's local search (Li et al., 2022, section 4.3).

    With two numbers λ is 0, as in the authors' code; with one number E is also fixed at the middle of its range.
    """

    scale: Range = (0.1, 29.9)
    steps: Range = (1, 49)
    stealth: Range = (0, 1)
    numbers: Literal[1, 2, 3] = 2
    variant: Variant = "reversed_descent"
    searches: int = 1
    lr: float | None = None
    batch: int | None = field(default=None, metadata=ADDED_LATER)
    """Minibatch size of a search; null means the clients' own."""
    spacing: Spacing = field(default="linear", metadata=ADDED_LATER)
    """Whether γ and E run through their ranges in equal steps, as published, or in equal factors."""
    relative: bool = field(default=False, metadata=ADDED_LATER)
    """Whether γ is the length of the update in units of the median norm of the attackers' own updates."""

    def __post_init__(self) -> None:
        for name, (low, high) in {"scale": self.scale, "steps": self.steps, "stealth": self.stealth}.items():
            if not 0 <= low <= high < inf:
                raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from at least 0")
        if self.numbers not in (1, 2, 3):
            raise ConfigError(f"acting.numbers is {self.numbers}; it must be 1, 2 or 3")
        if self.variant == "reversed_descent" and self.numbers == 3:
            raise ConfigError("acting.numbers is 3; reversed_descent has no stealth, use 2 or 1")
        if self.spacing == "log" and min(self.scale[0], self.steps[0]) == 0:
            raise ConfigError("acting.spacing is log; acting.scale and acting.steps must begin above 0")
        self._check_counts()

    def _check_counts(self) -> None:
        for name, count in {"searches": self.searches, "batch": self.batch}.items():
            if count is not None and count < 1:
                raise ConfigError(f"acting.{name} is {count}; it must be at least 1")

    def size(self, network: Network) -> int:
        return self.numbers

    def attack(self, action: FloatArray) -> LocalSearch:
        scale, steps, stealth = (*(float(number) for number in action), 0.0, 0.0)[:3]
        return LocalSearch(
            scale=map_to_range(scale, self.scale, spacing=self.spacing),
            steps=max(1, round(map_to_range(steps, self.steps, spacing=self.spacing))),
            stealth=map_to_range(stealth, self.stealth) if self.numbers == 3 else 0.0,
            variant=self.variant,
            searches=self.searches,
            lr=self.lr,
            batch=self.batch,
            relative=self.relative,
        )


@dataclass(frozen=True)
class RawUpdateActions:
    """Decode an action to the update itself, for small models: each of its numbers times `bound`."""

    bound: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.bound < inf:
            raise ConfigError(f"acting.bound is {self.bound}; it must be positive and finite")

    def size(self, network: Network) -> int:
        return network.size

    def attack(self, action: FloatArray) -> "Sent":
        return Sent(torch.from_numpy(np.clip(action, -1, 1)).float().mul_(self.bound))


@dataclass(frozen=True, eq=False)
class Sent:
    """The same given update from every malicious client."""

    update: Vector
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view: BlackBoxView) -> Matrix:
        return self.update.to(view.parameters.device).expand(len(view.clients), -1)


@dataclass(frozen=True)
class PortfolioActions:
    """Decode an action to γ and E of a `Portfolio`, the weights of directions, and the share of the own mean.

    γ and E run through their ranges in equal factors; a weight or a share is the number itself, or 0 if it is negative.
    """

    scale: Range = (0.1, 100.0)
    steps: Range = (1, 50)
    stealth: float = 0.5
    directions: tuple[str, ...] = field(default=DIRECTIONS, metadata=ADDED_LATER)
    """The directions whose weights are numbers of the action; the weight of a single one is 1."""

    def __post_init__(self) -> None:
        _check_log_ranges(scale=self.scale, steps=self.steps)
        object.__setattr__(self, "directions", tuple(self.directions))
        if not self.directions or not set(self.directions) <= set(DIRECTIONS):
            raise ConfigError(
                f"acting.directions is {list(self.directions)}; give at least one of: {', '.join(DIRECTIONS)}"
            )

    def size(self, network: Network) -> int:
        return 3 + (len(self.directions) if len(self.directions) > 1 else 0)

    def attack(self, action: FloatArray) -> Portfolio:
        scale, steps, *shares = (float(number) for number in action)
        *weights, center = (max(0.0, share) for share in shares)
        given = dict(zip(self.directions, weights or [1.0], strict=True))
        return Portfolio(
            weights=tuple(given.get(name, 0.0) for name in DIRECTIONS),
            scale=map_to_range(scale, self.scale, spacing="log"),
            center=center,
            steps=max(1, round(map_to_range(steps, self.steps, spacing="log"))),
            stealth=self.stealth,
        )


@dataclass(frozen=True)
class PoisonedSearchActions:
    """Decode an action to γ, E and ρ, in this order, of a `PoisonedSearch`: the three numbers of BRL.

    MSG says that there are three and leaves them open; these are the ones of a search on poisoned data. γ and E run
    through their ranges in equal factors, ρ in equal steps.
    """

    scale: Range = (0.1, 100.0)
    steps: Range = (1, 50)
    ratio: Range = (0.0, 1.0)
    """The fraction of the eligible examples that get the trigger."""
    trigger: Trigger = Bars()
    target: int = 2
    """The class that the model should predict for images with the trigger."""
    source: int | None = None
    """The one class whose images should be misclassified; null means all classes but the target."""
    classes: int = 10
    """Number of classes of the data set."""
    lr: float | None = None
    batch: int | None = None
    relative: bool = False
    """Whether γ is the length of the update in units of the median norm of the attackers' own updates."""

    def __post_init__(self) -> None:
        _check_log_ranges(scale=self.scale, steps=self.steps)
        low, high = self.ratio
        if not 0 <= low <= high <= 1:
            raise ConfigError(f"acting.ratio is {[low, high]}; it must rise from at least 0 to at most 1")
        check_implant("acting", self.backdoor)

    @property
    def backdoor(self) -> BackdoorPoison:
        """The backdoor that the attacks implant."""
        return BackdoorPoison(self.trigger, self.target, self.source, classes=self.classes)

    def size(self, network: Network) -> int:
        return 3

    def attack(self, action: FloatArray) -> PoisonedSearch:
        scale, steps, ratio = (float(number) for number in action)
        return PoisonedSearch(
            replace(self.backdoor, ratio=map_to_range(ratio, self.ratio)),
            scale=map_to_range(scale, self.scale, spacing="log"),
            steps=max(1, round(map_to_range(steps, self.steps, spacing="log"))),
            lr=self.lr,
            batch=self.batch,
            relative=self.relative,
        )


def _check_log_ranges(**ranges: Range) -> None:
    for name, (low, high) in ranges.items():
        if not 0 < low <= high < inf:
            raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from above 0")


ACTING: Mapping[str, type[ActionDecoder]] = {
    "full_update": RawUpdateActions,
    "local_search": LocalSearchActions,
    "poisoned_search": PoisonedSearchActions,
    "portfolio": PortfolioActions,
}
"""The action decoders, by their names in a saved policy."""

PAPER = LocalSearchActions(numbers=3, variant="ascent")
"""The three parameters of the paper, which states no ranges."""
KRUM_CODE = LocalSearchActions(scale=(0.1, 9.9), steps=(1, 21), lr=0.01, batch=200)
CLIPPING_MEDIAN_CODE = LocalSearchActions(scale=(0.1, 29.9), steps=(1, 49), lr=0.01, batch=200)
"""The ranges in the authors' code: γ = 4.9a + 5 and E = 10a + 11 against Krum, γ = 14.9a + 15 and E = 24a + 25; every
step uses all 200 examples that the attackers share."""
