"""Common settings of the tables of R2T2: data sets, networks, recipes, attacks and defenses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import NO_ATTACK, Published, Scale

SOURCE = "R2T2"
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 5}

LEVEL_0, LEVEL_1, LEVEL_4 = "level 0", "level 1", "level 4"
FGSM_PGD, CW, YOPO, DC, EVO_SHIFT = "FGSM-PGD", "CW", "YOPO", "DC", "EvoShift"
BLACK_BOX = "level 1 black box"
BASELINES = (FGSM_PGD, CW, YOPO, DC, EVO_SHIFT)
"""The attacks of others."""
VALIDATION = "validation alone"
"""The control that each defense must beat: training on the validation examples alone."""

Numbers = tuple[float, float | None]
"""A published mean and standard deviation, in percent."""


@dataclass(frozen=True)
class LearnerSetting:
    """A data set, with its network and recipe at each scale."""

    base: Mapping[Scale, Section]
    epsilon: float
    """ε of both players."""
    momentum: Mapping[Scale, float]
    """β of the attacker's history."""
    smoothness: float
    """M, which determines the steps of levels above 2."""
    effort: float
    """c in the number of these steps."""
    differences: Mapping[Scale, tuple[str, ...]]

    def level(self, k: int, **options: object) -> Section:
        """Return a player of level k: an attacker, or without its history a defender."""
        steps = {} if k < 2 else {"smoothness": self.smoothness, "effort": self.effort}
        return {"name": "level_k", "level": k, "epsilon": self.epsilon, **steps, **options}

    def attack(self, scale: Scale, k: int = 1, **options: object) -> Section:
        """Return the attacker of level k, with its history."""
        return self.level(k, momentum=self.momentum[scale], **options)

    def passes(self, scale: Scale) -> int:
        """Return the number of validation examples a minibatch for one pass over them in each epoch."""
        data, batch = self.base[scale]["data"], self.base[scale]["training"]["batch"]
        return int(data["validation"] // -(-data["train"] // batch))


SMOKE: Section = {
    "kind": "central",
    "data": {"name": "digits", "size": 12, "train": 60, "validation": 20},
    "model": {"name": "mlp", "hidden": 8},
    "training": {"epochs": 1, "batch": 30},
}
MLP: Section = {
    "kind": "central",
    "data": {"name": "mnist", "train": 5000, "validation": 1000},
    "model": {"name": "mlp", "hidden": 100},
    "training": {"epochs": 80, "batch": 500, "lr": 8e-4},
    "evaluation": {"every": 40},
}
CNN: Section = {
    "kind": "central",
    "data": {"name": "mnist", "train": 20_000, "validation": 500},
    "model": {"name": "strided_cnn"},
    "training": {"epochs": 20, "batch": 100, "lr": 2e-3},
}
NARROW: Section = {
    "kind": "central",
    "data": {"name": "cifar10", "train": 10_000, "validation": 500},
    "model": {
        "name": "strided_cnn",
        "channels": [16, 16, 64],
        "kernel": 3,
        "strides": [2, 2, 2],
        "pool": 3,
        "hidden": 32,
    },
    "training": {"epochs": 10, "batch": 100, "lr": 2e-3},
}
PAPER_MNIST: Section = {
    "kind": "central",
    "data": {"name": "mnist", "train": 55_000, "validation": 5000},
    "model": {"name": "strided_cnn"},
    "training": {"epochs": 120, "batch": 500, "lr": 8e-4},
}
PAPER_CIFAR: Section = {
    "kind": "central",
    "data": {"name": "cifar10", "train": 45_000, "validation": 5000},
    "model": {**NARROW["model"], "channels": [128, 128, 512], "hidden": 256},
    "training": {"epochs": 240, "batch": 400, "lr": 8e-4},
}

ALWAYS = (
    "Kernels and strides, which the paper does not state, are chosen so that the network has as many parameters as it "
    "says.",
    "Inputs are normalized by the mean and deviation of the data set inside the network; the paper says only that "
    "pixels lie in [0, 1]. Without it the level-1 attack on the MLP was much weaker in trials.",
    "The loss of a minibatch is averaged: η of the reasoning is the learning rate over the batch size.",
    "FGSM-PGD takes its steps by signs, CW and YOPO theirs along the gradient; all are then scaled to the L2 bound.",
)
SMOKE_SIZE = "Two minibatches of 30 digits, an MLP with 8 units, one seed."
MLP_SIZE = (
    "An MLP with 100 hidden units in place of the CNN, 5000 training images in place of 55 000, 1000 validation images "
    "in place of 5000, 80 epochs in place of 120 (800 minibatches in place of 13 200), 3 seeds in place of 5."
)
CNN_SIZE = (
    "20 000 training images in place of 55 000, 500 validation images in place of 5000, minibatches of 100 in place of "
    "500, 20 epochs in place of 120, 3 seeds in place of 5.",
    "The learning rate is 2e-3 in place of 8e-4, and β is 0.8 in place of 0.95, which in 20 epochs would reach no more "
    "than 0.64 of ε. They were chosen after looking, on seed 0.",
)
NARROW_SIZE = (
    "The network has an eighth of the channels and hidden units; 10 000 training images in place of 45 000, 500 "
    "validation images in place of 5000, minibatches of 100 in place of 400, 10 epochs in place of 240, 3 seeds in place "
    "of 5.",
    "The learning rate is 2e-3 in place of 8e-4, and β is 0.7 in place of 0.95, which in 10 epochs would reach no more "
    "than 0.40 of ε. Neither was tuned.",
)
FEWER_TRIALS = "DC has 10 trials of 50 minibatches in place of 500 trials."
PAPER_SIZE = "DC simulates 500 trainings of 100 minibatches; the paper does not state their length."
OTHER_DATA = "Fashion-MNIST in place of MNIST; the paper has no results on it."

MNIST = LearnerSetting(
    base={"smoke": SMOKE, "laptop": MLP, "paper": PAPER_MNIST},
    epsilon=3.0,
    momentum={"smoke": 0.95, "laptop": 0.95, "paper": 0.95},
    smoothness=0.203,
    effort=2.0,
    differences={"smoke": (*ALWAYS, SMOKE_SIZE), "laptop": (*ALWAYS, MLP_SIZE), "paper": ALWAYS},
)
MNIST_CNN = LearnerSetting(
    base={"smoke": SMOKE, "laptop": CNN, "paper": PAPER_MNIST},
    epsilon=3.0,
    momentum={"smoke": 0.8, "laptop": 0.8, "paper": 0.95},
    smoothness=0.203,
    effort=2.0,
    differences={"smoke": (*ALWAYS, SMOKE_SIZE), "laptop": (*ALWAYS, *CNN_SIZE), "paper": ALWAYS},
)
FASHION = LearnerSetting(
    base={
        "smoke": SMOKE,
        "laptop": {**MLP, "data": {**MLP["data"], "name": "fashion_mnist"}},
        "paper": {**PAPER_MNIST, "data": {**PAPER_MNIST["data"], "name": "fashion_mnist"}},
    },
    epsilon=3.0,
    momentum=MNIST.momentum,
    smoothness=0.203,
    effort=2.0,
    differences={scale: (OTHER_DATA, *told) for scale, told in MNIST.differences.items()},
)
CIFAR10 = LearnerSetting(
    base={"smoke": SMOKE, "laptop": NARROW, "paper": PAPER_CIFAR},
    epsilon=2.0,
    momentum={"smoke": 0.7, "laptop": 0.7, "paper": 0.95},
    smoothness=0.351,
    effort=0.5,
    differences={"smoke": (*ALWAYS, SMOKE_SIZE), "laptop": (*ALWAYS, *NARROW_SIZE), "paper": ALWAYS},
)


def list_attacks(setting: LearnerSetting, scale: Scale) -> dict[str, Section]:
    """Return the bundles of the rows of table 2: no attack, the attacks of others, and level 1."""
    bound = {"epsilon": setting.epsilon}
    trained = {"smoke": {"trials": 1, "steps": 2}, "laptop": {"trials": 10, "steps": 50}, "paper": {"trials": 500}}
    evolved = {"population": 4} if scale == "smoke" else {}
    level_1 = setting.attack(scale)
    return {
        NO_ATTACK: {"attack": {"name": "none"}},
        FGSM_PGD: {"attack": {"name": "fgsm_pgd", **bound}},
        CW: {"attack": {"name": "cw", **bound}},
        YOPO: {"attack": {"name": "yopo", **bound}},
        DC: {"attack": {"name": "deep_confuse", **bound, **trained[scale]}},
        EVO_SHIFT: {"attack": {"name": "evo_shift", **bound, **evolved}},
        LEVEL_1: {"attack": level_1},
        BLACK_BOX: {"attack": level_1, "threat.knowledge": "black_box"},
    }


def list_levels(setting: LearnerSetting) -> dict[str, Section]:
    """Return the bundles of the defender of level 0 and of level 1."""
    return {LEVEL_0: {"defense": {"name": "none"}}, LEVEL_1: {"defense": setting.level(1)}}


def make_sweep(
    setting: LearnerSetting,
    scale: Scale,
    *,
    defenses: Mapping[str, Section],
    attacks: Mapping[str, Section],
    others: Mapping[str, Mapping[str, Section]] | None = None,
) -> Section:
    """Return the sweep of defenses by attacks, and by the bundles of further axes."""
    axes = {"defense": defenses, "attack": attacks, **(others or {})}
    return {"base": setting.base[scale], "axes": {**axes, "seed": list(range(SEEDS[scale]))}}


def cell(attack: str, defense: str, **others: str) -> dict[str, str]:
    """Return the labels of a cell."""
    return {"defense": defense, "attack": attack, **others}


def publish(cells: Iterable[tuple[dict[str, str], Numbers]], *, metric: str = "accuracy") -> tuple[Published, ...]:
    """Return published percentages as shares."""
    return tuple(
        Published(where, round(mean / 100, 4), metric=metric, std=None if std is None else round(std / 100, 4))
        for where, (mean, std) in cells
    )
