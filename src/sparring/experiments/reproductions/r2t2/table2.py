"""Table 2 of R2T2: attacks against defenders of level 0 and 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import NO_ATTACK, Preset, Published, Scale
from sparring.experiments.reproductions.r2t2.setting import (
    BASELINES,
    BLACK_BOX,
    CIFAR10,
    CW,
    DC,
    EVO_SHIFT,
    FASHION,
    FEWER_TRIALS,
    FGSM_PGD,
    LEVEL_0,
    LEVEL_1,
    MNIST,
    MNIST_CNN,
    PAPER_SIZE,
    SOURCE,
    YOPO,
    LearnerSetting,
    Numbers,
    cell,
    list_attacks,
    list_levels,
    make_sweep,
    publish,
)

Rows = Mapping[str, tuple[Numbers, Numbers]]
"""The numbers of each attack against level 0 and level 1."""

ON_MNIST: Rows = {
    NO_ATTACK: ((98.8, 0.5), (97.2, 0.8)),
    FGSM_PGD: ((80.5, 2.2), (91.3, 4.5)),
    CW: ((75.4, 4.9), (92.8, 3.2)),
    YOPO: ((87.5, 2.3), (94.0, 3.8)),
    DC: ((28.5, 6.4), (96.1, 1.9)),
    EVO_SHIFT: ((50.1, 3.2), (95.9, 1.1)),
    LEVEL_1: ((9.5, 2.9), (94.8, 2.8)),
    BLACK_BOX: ((11.7, 2.2), (95.5, 1.7)),
}
ON_CIFAR10: Rows = {
    NO_ATTACK: ((74.8, 3.5), (71.4, 2.2)),
    FGSM_PGD: ((45.6, 1.7), (57.4, 2.6)),
    CW: ((50.7, 2.7), (63.4, 3.7)),
    YOPO: ((45.2, 4.3), (57.0, 2.5)),
    DC: ((24.7, 5.6), (62.5, 5.3)),
    EVO_SHIFT: ((23.1, 5.4), (67.3, 6.0)),
    LEVEL_1: ((17.1, 3.2), (55.3, 4.0)),
    BLACK_BOX: ((15.8, 2.7), (60.9, 5.9)),
}

SHORT = (NO_ATTACK, FGSM_PGD, LEVEL_1, BLACK_BOX)
"""The rows of the smoke scale."""

COLLAPSED = 0.20
"""The accuracy that the level-1 attack leaves at most: 0.095 and 0.171 are published, and no model is below 0.1."""
DEFENDED = 0.90
"""The accuracy that the level-1 defender keeps on MNIST at least; 0.948 is published."""
COST = 0.05
"""What the level-1 defender may cost without an attack; at most 0.034 is published."""
AS_STRONG = 0.05
"""The tolerance between the attack with and without knowledge of the model; at most 0.022 is published."""


@dataclass(frozen=True)
class AttackTable:
    """One data set of the table."""

    setting: LearnerSetting
    numbers: Rows
    is_digits: bool
    """Whether the thresholds of MNIST apply."""
    is_short: bool = False
    """Whether only no attack and level 1 are run."""

    def rows(self, scale: Scale) -> tuple[str, ...]:
        """Return the attacks."""
        if self.is_short:
            return NO_ATTACK, LEVEL_1
        return SHORT if scale == "smoke" else tuple(ON_MNIST)

    def document(self, scale: Scale) -> Section:
        known = list_attacks(self.setting, scale)
        attacks = {label: known[label] for label in self.rows(scale)}
        return make_sweep(self.setting, scale, defenses=list_levels(self.setting), attacks=attacks)

    def published(self, scale: Scale) -> tuple[Published, ...]:
        return publish_levels({label: row for label, row in self.numbers.items() if label in self.rows(scale)})

    def claims(self, scale: Scale) -> tuple[Claim, ...]:
        rows = self.rows(scale)
        literal = claim_thresholds(is_digits=self.is_digits) if self.numbers else ()
        return (*literal, claim_defended(rows[1:]), CHEAP, *(() if self.is_short else (claim_strongest(rows), BLIND)))


def publish_levels(rows: Rows) -> tuple[Published, ...]:
    """Return the published accuracies against both defenders."""
    levels = (LEVEL_0, LEVEL_1)
    return publish(
        (cell(attack, defense), numbers)
        for attack, pair in rows.items()
        for defense, numbers in zip(levels, pair, strict=True)
    )


def claim_thresholds(*, is_digits: bool) -> tuple[Claim, ...]:
    """Return the claims about the level-1 attack as numbers."""
    broken = Claim(
        f"Without a defense the level-1 attack leaves about as much as guessing: at most {COLLAPSED:.2f}.",
        (Above(COLLAPSED, cell(LEVEL_1, LEVEL_0)),),
    )
    kept = Claim(
        f"The level-1 defender keeps at least {DEFENDED:.2f} under the level-1 attack.",
        (Above(cell(LEVEL_1, LEVEL_1), DEFENDED),),
    )
    return (broken, kept) if is_digits else (broken,)


def claim_defended(attacks: Sequence[str]) -> Claim:
    """Return the claim that the level-1 defender helps against each attack."""
    return Claim(
        "Against every attack the level-1 defender ends with a higher accuracy than no defense.",
        tuple(Above(cell(attack, LEVEL_1), cell(attack, LEVEL_0)) for attack in attacks),
    )


def claim_strongest(attacks: Sequence[str]) -> Claim:
    """Return the claim that the level-1 attack is the strongest of these."""
    return Claim(
        "Without a defense, accuracy is lower under the level-1 attack than under every baseline.",
        tuple(Above(cell(attack, LEVEL_0), cell(LEVEL_1, LEVEL_0)) for attack in BASELINES if attack in attacks),
    )


CHEAP = Claim(
    f"Without an attack the level-1 defender costs at most {COST:.2f}.",
    (Above(cell(NO_ATTACK, LEVEL_1), cell(NO_ATTACK, LEVEL_0), margin=-COST),),
)
BLIND = Claim(
    f"Without seeing the model the level-1 attack is about as strong: it leaves at most {AS_STRONG:.2f} more.",
    (Above(cell(LEVEL_1, LEVEL_0), cell(BLACK_BOX, LEVEL_0), margin=-AS_STRONG),),
)


def make_block(id: str, title: str, block: AttackTable) -> Preset:
    """Return the preset of one data set."""
    trials: Mapping[Scale, tuple[str, ...]] = {"laptop": (FEWER_TRIALS,), "paper": (PAPER_SIZE,)}
    few = ("Only no attack and the level-1 attack are run.",) if block.is_short else ()
    return Preset(
        id=id,
        title=title,
        source=f"{SOURCE}, table 2" if block.numbers else f"{SOURCE}, table 2, on other data",
        metrics=("accuracy",),
        document=block.document,
        differences={
            scale: (*told, *(few or trials.get(scale, ()))) for scale, told in block.setting.differences.items()
        },
        published=block.published,
        claims=block.claims,
    )


R2T2_TABLE2 = make_block(
    "r2t2-table2", "MNIST under perturbed minibatches: every attack", AttackTable(MNIST, ON_MNIST, is_digits=True)
)
R2T2_TABLE2_CNN = make_block(
    "r2t2-table2-cnn",
    "MNIST under perturbed minibatches: the paper's CNN",
    AttackTable(MNIST_CNN, ON_MNIST, is_digits=True, is_short=True),
)
R2T2_TABLE2_FASHION = make_block(
    "r2t2-table2-fashion",
    "Fashion-MNIST under perturbed minibatches: every attack",
    AttackTable(FASHION, {}, is_digits=False),
)
R2T2_TABLE2_CIFAR10 = make_block(
    "r2t2-table2-cifar10",
    "CIFAR-10 under perturbed minibatches: every attack",
    AttackTable(CIFAR10, ON_CIFAR10, is_digits=False),
)
