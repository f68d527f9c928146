"""The threat model: the attackers, their knowledge, and the malicious fraction that the server assumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Literal

from sparring.arrays import briefly
from sparring.contracts import (
    Attack,
    Backdoor,
    BlackBoxView,
    ImplantingAttack,
    OmniscientView,
    Poison,
    Recipe,
    WhiteBoxView,
)
from sparring.errors import ConfigError, PluginError
from sparring.validation import (
    check_counts,
    check_kind,
    check_numbers,
    check_player,
    describe,
    is_player,
    wrong_kind_error,
)

Knowledge = Literal["black_box", "white_box", "omniscient"]

VIEWS: dict[str, type[BlackBoxView]] = {
    "black_box": BlackBoxView,
    "white_box": WhiteBoxView,
    "omniscient": OmniscientView,
}

FIELDS = {"craft": "attack", "poison": "poison"}
"""The attacker's field for a player, by the player's method."""


def check_recipe(section: str, recipe: Recipe) -> None:
    """Reject an invalid training recipe."""
    check_kind(f"{section}.recipe", recipe, kind=Recipe, remedy="give a Recipe: Recipe(steps=1, batch=32, lr=0.05)")
    check_counts(section, batch=recipe.batch, local_steps=recipe.steps)
    check_numbers(section, lr=recipe.lr)
    for name, value in (("batch", recipe.batch), ("local_steps", recipe.steps)):
        if value < 1:
            raise ConfigError(f"{section}.{name} is {value}; it must be at least 1")
    if not 0 < recipe.lr < inf:
        raise ConfigError(f"{section}.lr is {recipe.lr}; it must be positive and finite")


@dataclass(frozen=True)
class Attacker:
    """One adversary: the clients it controls, and how it changes their data and their updates.

    From round `start` on (the first round is 0) its clients train on data changed by `poison` and submit the updates
    that `attack` crafts; without either, data or updates are unchanged. Before `start`, they are benign. An object that
    is both a poison and an attack is given twice.
    """

    malicious: int
    attack: Attack | None = None
    poison: Poison | None = None
    start: int = 0
    recipe: Recipe | None = None
    """Training settings of its clients; None means the federation's."""
    epochs: float | None = None
    """Passes over a client's shard per round, in place of the recipe's number of steps."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        self._check_kinds()
        if self.malicious < 0:
            raise ConfigError(f"attack.malicious is {self.malicious}; it must be at least 0")
        if self.start < 0:
            raise ConfigError(f"attack.start is {self.start}; it must be at least 0")
        if self.epochs is not None and not 0 < self.epochs < inf:
            raise ConfigError(f"attack.local_epochs is {self.epochs}; it must be positive and finite")
        if self.recipe is not None:
            check_recipe("attack", self.recipe)

    @property
    def backdoors(self) -> tuple[Backdoor, ...]:
        """The backdoor of its poison, and that of its updates."""
        poison = (self.poison,) if isinstance(self.poison, Backdoor) else ()
        implanted = self.attack.backdoor if isinstance(self.attack, ImplantingAttack) else None
        return poison if implanted is None else (*poison, implanted)

    def _check_kinds(self) -> None:
        check_counts("attack", malicious=self.malicious, start=self.start)
        if self.attack is not None:
            if is_player(self.attack, "poison") and not is_player(self.attack, "craft"):
                raise wrong_kind_error("attacker.attack", self.attack, remedy="it changes data: give it as poison=")
            check_player("attacker.attack", self.attack, verb="craft")
        if self.poison is not None:
            check_player("attacker.poison", self.poison, verb="poison")
        if self.epochs is not None:
            check_numbers("attack", local_epochs=self.epochs)


def check_attackers(attackers: object) -> None:
    """Reject a value that is not a list of attackers."""
    if not isinstance(attackers, Sequence) or isinstance(attackers, str):
        given = "attacker" if isinstance(attackers, Attacker) else "Attacker(malicious=..., attack=...)"
        raise wrong_kind_error("scenario.attackers", attackers, remedy=f"give a list: [{given}]")
    for index, attacker in enumerate(attackers):
        played = next((field for verb, field in FIELDS.items() if is_player(attacker, verb)), "attack")
        player = f"{type(attacker).__name__}(...)" if is_player(attacker, "craft") or played == "poison" else "..."
        remedy = f"give an Attacker: Attacker(malicious=..., {played}={player})"
        check_kind(f"scenario.attackers[{index}]", attacker, kind=Attacker, remedy=remedy)


@dataclass(frozen=True)
class Threat:
    """What the attackers know, and the malicious fraction of sampled clients that every rule assumes."""

    knowledge: Knowledge = "omniscient"
    assumed_malicious: float = 0.2
    mastermind: bool = True
    """Whether one adversary controls all attackers: those that craft later then see what the earlier ones submit."""

    def __post_init__(self) -> None:
        check_numbers("threat", assumed_malicious=self.assumed_malicious)
        if self.knowledge not in VIEWS:
            raise ConfigError(f"threat.knowledge is {self.knowledge!r}; it must be one of: {', '.join(VIEWS)}")
        if not 0 <= self.assumed_malicious <= 1:
            raise ConfigError(f"threat.assumed_malicious is {self.assumed_malicious}; it must be from 0 to 1")

    def assumed(self, clients: int) -> int:
        """Return how many of `clients` are assumed to be malicious: the fraction, rounded up."""
        # Rounded to nine digits first: 0.1 · 30 is slightly above 3 in floating point.
        return ceil(round(self.assumed_malicious * clients, 9))

    def check(self, attack: Attack) -> None:
        """Reject an attack that needs a more informative view than the threat model grants."""
        granted, needs = VIEWS[self.knowledge], getattr(attack, "needs", None)
        needed = next((name for name, view in VIEWS.items() if view is needs), None)
        if needed is None:
            views = ", ".join(view.__name__ for view in VIEWS.values())
            name = type(attack).__name__
            raise PluginError(f"attack {name} needs {describe(needs)}; it must be a view to play from: {views}")
        if not issubclass(granted, VIEWS[needed]):
            raise ConfigError(
                f"attack {type(attack).__name__} needs {needed} knowledge, threat.knowledge grants {self.knowledge}; "
                f"use threat.knowledge={needed}"
            )
