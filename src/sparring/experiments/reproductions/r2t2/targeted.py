"""Tables 4 and 5 of R2T2: conversion into a class, and evasion of a class."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import NO_ATTACK, Preset, Published, Scale
from sparring.experiments.reproductions.r2t2.setting import (
    CIFAR10,
    LEVEL_0,
    LEVEL_1,
    MNIST,
    SOURCE,
    LearnerSetting,
    Numbers,
    cell,
    list_levels,
    make_sweep,
    publish,
)

TARGETS: Mapping[Scale, tuple[int, ...]] = {"smoke": (3,), "laptop": (0, 3, 8), "paper": (0, 3, 8)}
DRASTICALLY = 0.05
"""How much lower the rate is with the level-1 defender at least; 0.209 and more are published."""


@dataclass(frozen=True)
class TargetedTable:
    """A targeted attack on one data set, and its published rates against the defenders of level 0 and 1."""

    name: Literal["conversion", "evasion"]
    setting: LearnerSetting
    rates: Mapping[str, Numbers]

    @property
    def metric(self) -> str:
        return f"{self.name}_rate"

    def document(self, scale: Scale) -> Section:
        idle = {"attack": self.setting.level(0, goal=self.name)}
        attacks = {NO_ATTACK: idle, LEVEL_1: {"attack": self.setting.attack(scale, goal=self.name)}}
        targets = {str(target): {"attack.target": target} for target in TARGETS[scale]}
        defenses = list_levels(self.setting)
        return make_sweep(self.setting, scale, defenses=defenses, attacks=attacks, others={"target": targets})

    def published(self, scale: Scale) -> tuple[Published, ...]:
        return publish(
            (
                (cell(LEVEL_1, defense, target=str(target)), numbers)
                for target in TARGETS[scale]
                for defense, numbers in self.rates.items()
            ),
            metric=self.metric,
        )

    def claims(self, scale: Scale) -> tuple[Claim, ...]:
        undefended, defended, untouched = (
            [cell(attack, defense, target=str(target)) for target in TARGETS[scale]]
            for attack, defense in ((LEVEL_1, LEVEL_0), (LEVEL_1, LEVEL_1), (NO_ATTACK, LEVEL_0))
        )
        return (
            Claim(
                f"Without a defense the attack raises the {self.name} rate of each target.",
                tuple(Above(*pair, metric=self.metric) for pair in zip(undefended, untouched, strict=True)),
            ),
            Claim(
                f"The level-1 defender, which defends against untargeted attacks, lowers the {self.name} rate "
                f"drastically: by more than {DRASTICALLY:.2f}.",
                tuple(
                    Above(*pair, metric=self.metric, margin=DRASTICALLY)
                    for pair in zip(undefended, defended, strict=True)
                ),
            ),
        )


TARGET = (
    "The paper does not state the target: the classes 0, 3 and 8 are targets, each with the published numbers beside "
    "it.",
    "Without an attack the rates are those of a level-0 attacker with the same target.",
)
CUT_OFF = "The published rate against the level-1 defender is cut off in the available text."


def make_goal(id: str, title: str, table: str, goal: TargetedTable) -> Preset:
    """Return the preset of one goal on one data set."""
    cut = () if len(goal.rates) > 1 else (CUT_OFF,)
    return Preset(
        id=id,
        title=title,
        source=f"{SOURCE}, table {table}",
        metrics=(goal.metric, "accuracy"),
        document=goal.document,
        differences={scale: (*told, *TARGET, *cut) for scale, told in goal.setting.differences.items()},
        published=goal.published,
        claims=goal.claims,
    )


CONVERSION = TargetedTable("conversion", MNIST, {LEVEL_0: (23.7, 9.6), LEVEL_1: (2.8, 2.3)})
EVASION = TargetedTable("evasion", MNIST, {LEVEL_0: (37.5, 12.0), LEVEL_1: (14.4, 10.3)})

R2T2_TABLE4 = make_goal("r2t2-table4", "MNIST: conversion into a class", "4", CONVERSION)
R2T2_TABLE4_CIFAR10 = make_goal(
    "r2t2-table4-cifar10",
    "CIFAR-10: conversion into a class",
    "4",
    replace(CONVERSION, setting=CIFAR10, rates={LEVEL_0: (78.1, 3.0), LEVEL_1: (15.7, 9.7)}),
)
R2T2_TABLE5 = make_goal("r2t2-table5", "MNIST: evasion of a class", "5", EVASION)
R2T2_TABLE5_CIFAR10 = make_goal(
    "r2t2-table5-cifar10",
    "CIFAR-10: evasion of a class",
    "5",
    replace(EVASION, setting=CIFAR10, rates={LEVEL_0: (98.1, 0.8)}),
)
