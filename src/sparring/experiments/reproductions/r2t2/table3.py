"""Table 3 of R2T2: denoising and level 1, with CutMix on training and on validation images."""

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Scale
from sparring.experiments.reproductions.r2t2.fig5 import DDPM_NUMBER, generative
from sparring.experiments.reproductions.r2t2.setting import (
    CIFAR10,
    LEVEL_1,
    LEVEL_4,
    MNIST,
    SOURCE,
    VALIDATION,
    LearnerSetting,
    cell,
    make_sweep,
    publish,
)

DDPM, CVAE = "DDPM", "CVAE"
CUT_MIX, BOTH = "CutMix", "CutMix on both"
"""CutMix on the training images, and on both training and validation images."""
CONTROL = f"{VALIDATION} + {CUT_MIX}"
ON_MNIST: Mapping[str, tuple[float, float]] = {
    DDPM: (27.9, 19.9),
    f"{DDPM} + {CUT_MIX}": (33.7, 25.4),
    f"{DDPM} + {BOTH}": (58.6, 46.4),
    LEVEL_1: (93.6, 92.1),
    f"{LEVEL_1} + {CUT_MIX}": (94.2, 92.3),
    f"{LEVEL_1} + {BOTH}": (95.3, 92.9),
    CONTROL: (91.2, 91.2),
}
ON_CIFAR10: Mapping[str, tuple[float, float]] = {
    DDPM: (19.8, 14.4),
    f"{DDPM} + {CUT_MIX}": (20.8, 15.3),
    f"{DDPM} + {BOTH}": (37.6, 31.0),
    LEVEL_1: (55.3, 48.6),
    f"{LEVEL_1} + {CUT_MIX}": (55.4, 51.0),
    f"{LEVEL_1} + {BOTH}": (56.7, 54.5),
    CONTROL: (51.8, 51.8),
}
LIMITED = 0.10
"""What CutMix on training images adds at most to denoising; 0.058 is published."""


@dataclass(frozen=True)
class CutMixTable:
    """One data set of the table."""

    setting: LearnerSetting
    numbers: Mapping[str, tuple[float, float]]
    is_costly: bool
    """Whether the level-4 attack is left to the paper's scale."""

    def attackers(self, scale: Scale) -> tuple[str, ...]:
        return (LEVEL_1,) if self.is_costly and scale == "laptop" else (LEVEL_1, LEVEL_4)

    def denoiser(self, scale: Scale) -> str:
        """Return the generative model: at smaller scales the CVAE, which needs no extra."""
        return DDPM if scale == "paper" else CVAE

    def document(self, scale: Scale) -> Section:
        attacks = {LEVEL_1: self.setting.attack(scale), LEVEL_4: self.setting.attack(scale, 4)}
        model = self.denoiser(scale)
        members = {model: generative(self.setting, scale, model.lower()), LEVEL_1: self.setting.level(1)}
        control = {"name": "chain", "first": {"name": "validation_training"}, "second": {"name": "cut_mix"}}
        defenses = {
            label: section
            for name, member in members.items()
            for label, section in self._with_cut_mix(name, member, scale).items()
        }
        return make_sweep(
            self.setting,
            scale,
            defenses={label: {"defense": section} for label, section in {**defenses, CONTROL: control}.items()},
            attacks={label: {"attack": attacks[label]} for label in self.attackers(scale)},
        )

    def _with_cut_mix(self, name: str, member: Section, scale: Scale) -> dict[str, Section]:
        """Return a defense alone, with CutMix, and with CutMix on validation images, too."""
        mixed = {CUT_MIX: {}, BOTH: {"validation": self.setting.passes(scale)}}
        chained = {
            f"{name} + {label}": {"name": "chain", "first": member, "second": {"name": "cut_mix", **options}}
            for label, options in mixed.items()
        }
        return {name: member, **chained}

    def published(self, scale: Scale) -> tuple[Published, ...]:
        played = self.document(scale)["axes"]["defense"]
        rows = publish(
            (cell(attack, defense), (number, None))
            for defense, pair in self.numbers.items()
            if defense in played
            for attack, number in zip((LEVEL_1, LEVEL_4), pair, strict=True)
        )
        has_bound = self.setting is MNIST and self.denoiser(scale) == CVAE
        return (*rows, Published(cell(LEVEL_1, CVAE), DDPM_NUMBER, ">")) if has_bound else rows

    def claims(self, scale: Scale) -> tuple[Claim, ...]:
        model, attackers = self.denoiser(scale), self.attackers(scale)
        best, rows = f"{LEVEL_1} + {BOTH}", self.document(scale)["axes"]["defense"]
        found = (
            Claim(
                f"The level-1 defender keeps more than {model}, under each attack.",
                tuple(Above(cell(attack, LEVEL_1), cell(attack, model)) for attack in attackers),
            ),
            Claim(
                f"CutMix on training images alone helps {model} little: by at most {LIMITED:.2f}.",
                tuple(
                    Above(cell(attack, model), cell(attack, f"{model} + {CUT_MIX}"), margin=-LIMITED)
                    for attack in attackers
                ),
            ),
            Claim(
                f"CutMix on validation images, too, helps {model} more than that.",
                tuple(
                    Above(cell(attack, f"{model} + {BOTH}"), cell(attack, f"{model} + {CUT_MIX}"))
                    for attack in attackers
                ),
            ),
            Claim(
                "The level-1 defender with CutMix on both keeps more than every other row, also than training on the "
                "validation images alone.",
                tuple(
                    Above(cell(attack, best), cell(attack, other), margin=0.0)
                    for attack in attackers
                    for other in rows
                    if other != best
                ),
            ),
        )
        return found if len(attackers) == 1 else (*found, self._claim_level_4(rows))

    def _claim_level_4(self, rows: Mapping[str, Section]) -> Claim:
        return Claim(
            "Accuracy is lower under the level-4 than the level-1 attack, with each defense that trains on perturbed "
            "images.",
            tuple(
                Above(cell(LEVEL_1, defense), cell(LEVEL_4, defense), margin=0.0)
                for defense in rows
                if defense != CONTROL
            ),
        )


STEPS = (
    "A player of level 4 takes max(4, c/Γ₄) steps of infinite length; the paper prints cΓ₄, which would fall as the "
    "level rises."
)
NO_DDPM = (
    "The CVAE, which the paper finds better than DDPM, takes the place of DDPM, which needs the extra `diffusion`; "
    "DDPM's numbers are printed at the paper's scale only."
)
FEW_STEPS = "DDPM is played by five deterministic steps of 500, on a small U-Net in place of a wide residual network."
NO_LEVEL_4 = "The level-4 attack is left out."
CHANCE = "CutMix changes half of the minibatches; training and validation images of a minibatch are mixed together."


def make_block(id: str, title: str, block: CutMixTable) -> Preset:
    """Return the preset of one data set."""
    own: Mapping[Scale, tuple[str, ...]] = {
        "smoke": (NO_DDPM,),
        "laptop": (NO_DDPM, *((NO_LEVEL_4,) if block.is_costly else ())),
        "paper": (FEW_STEPS,),
    }
    return Preset(
        id=id,
        title=title,
        source=f"{SOURCE}, table 3",
        metrics=("accuracy",),
        document=block.document,
        differences={scale: (*told, STEPS, CHANCE, *own[scale]) for scale, told in block.setting.differences.items()},
        published=block.published,
        claims=block.claims,
    )


R2T2_TABLE3 = make_block(
    "r2t2-table3", "MNIST: denoising, level 1 and CutMix", CutMixTable(MNIST, ON_MNIST, is_costly=False)
)
R2T2_TABLE3_CIFAR10 = make_block(
    "r2t2-table3-cifar10", "CIFAR-10: denoising, level 1 and CutMix", CutMixTable(CIFAR10, ON_CIFAR10, is_costly=True)
)
