"""Tables A.6 and A.7 of R2T2: defenses without gradients, and an attacker without validation examples."""

from collections.abc import Mapping
from dataclasses import dataclass

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

CROPS, DROPOUT = "crop ensemble", "dropout"
NO_GRADIENTS: Mapping[str, Section] = {
    CROPS: {"defense": {"name": "crop_ensemble"}},
    DROPOUT: {"defense": {"name": "dropout", "rate": 0.2}},
}
BROKEN = 0.30
"""The accuracy that is left under the level-1 attack at most; 0.108 to 0.251 are published."""

UNINFORMED = "level 1 without validation set"
AS_STRONG = 0.10
"""What the attack may leave more without validation examples; at most 0.045 is published against level 0."""


@dataclass(frozen=True)
class Obfuscated:
    """Table A.6 on one data set."""

    setting: LearnerSetting
    numbers: Mapping[str, Numbers]

    def document(self, scale: Scale) -> Section:
        attacks: dict[str, Section] = {
            NO_ATTACK: {"attack": {"name": "none"}},
            LEVEL_1: {"attack": self.setting.attack(scale)},
        }
        defenses = {**list_levels(self.setting), **NO_GRADIENTS}
        return make_sweep(self.setting, scale, defenses=defenses, attacks=attacks)

    def published(self, scale: Scale) -> tuple[Published, ...]:
        return publish((cell(LEVEL_1, defense), numbers) for defense, numbers in self.numbers.items())

    def claims(self, scale: Scale) -> tuple[Claim, ...]:
        return (
            Claim(
                f"Neither defense withstands the level-1 attack: each keeps at most {BROKEN:.2f}.",
                tuple(Above(BROKEN, cell(LEVEL_1, defense)) for defense in NO_GRADIENTS),
            ),
            Claim(
                "The level-1 defender keeps more than each of them.",
                tuple(Above(cell(LEVEL_1, LEVEL_1), cell(LEVEL_1, defense)) for defense in NO_GRADIENTS),
            ),
        )


@dataclass(frozen=True)
class Uninformed:
    """Table A.7 on one data set."""

    setting: LearnerSetting
    numbers: tuple[Numbers, Numbers]
    """Against the defenders of level 0 and 1."""

    def document(self, scale: Scale) -> Section:
        level_1 = self.setting.attack(scale)
        attacks: dict[str, Section] = {
            LEVEL_1: {"attack": level_1},
            UNINFORMED: {"attack": level_1, "threat.validation": False},
        }
        return make_sweep(self.setting, scale, defenses=list_levels(self.setting), attacks=attacks)

    def published(self, scale: Scale) -> tuple[Published, ...]:
        return publish(zip((cell(UNINFORMED, LEVEL_0), cell(UNINFORMED, LEVEL_1)), self.numbers, strict=True))

    def claims(self, scale: Scale) -> tuple[Claim, ...]:
        return (
            Claim(
                "Without validation examples the attack is not much weaker: without a defense it leaves at most "
                f"{AS_STRONG:.2f} more.",
                (Above(cell(LEVEL_1, LEVEL_0), cell(UNINFORMED, LEVEL_0), margin=-AS_STRONG),),
            ),
            Claim(
                "The level-1 defender, which has validation examples, keeps more than no defense.",
                (Above(cell(UNINFORMED, LEVEL_1), cell(UNINFORMED, LEVEL_0)),),
            ),
        )


CROPPED = (
    "A crop has 90/224 of an image's side and is enlarged to its size. Training is on one crop of each image; "
    "predictions are made on whole images, not averaged over crops."
)
LAYERS = "Dropout is after each activation of the network; its predictions use all units."
BESIDE = "The level-1 attacker with validation examples is run as well."


def make_table(id: str, title: str, block: Obfuscated | Uninformed, *, table: str, told: tuple[str, ...]) -> Preset:
    """Return the preset of one table on one data set."""
    return Preset(
        id=id,
        title=title,
        source=f"{SOURCE}, table {table}",
        metrics=("accuracy",),
        document=block.document,
        differences={scale: (*differences, *told) for scale, differences in block.setting.differences.items()},
        published=block.published,
        claims=block.claims,
    )


R2T2_TABLEA6 = make_table(
    "r2t2-tablea6",
    "MNIST under the level-1 attack: crops and dropout",
    Obfuscated(MNIST, {CROPS: (13.0, None), DROPOUT: (10.8, None)}),
    table="A.6",
    told=(CROPPED, LAYERS),
)
R2T2_TABLEA6_CIFAR10 = make_table(
    "r2t2-tablea6-cifar10",
    "CIFAR-10 under the level-1 attack: crops and dropout",
    Obfuscated(CIFAR10, {CROPS: (22.1, None), DROPOUT: (25.1, None)}),
    table="A.6",
    told=(CROPPED, LAYERS),
)
R2T2_TABLEA7 = make_table(
    "r2t2-tablea7",
    "MNIST under a level-1 attacker without validation examples",
    Uninformed(MNIST, ((14.0, 4.6), (96.0, 1.2))),
    table="A.7",
    told=(BESIDE,),
)
R2T2_TABLEA7_CIFAR10 = make_table(
    "r2t2-tablea7-cifar10",
    "CIFAR-10 under a level-1 attacker without validation examples",
    Uninformed(CIFAR10, ((18.9, 1.7), (50.1, 7.2))),
    table="A.7",
    told=(BESIDE,),
)
