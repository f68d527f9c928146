"""Published tables, figures and theorems, one file each; presets are imported on demand."""

from typing import TYPE_CHECKING, NamedTuple

from sparring.errors import UnknownName
from sparring.registry import Imports, offer

if TYPE_CHECKING:
    from sparring.experiments.reproductions.computed_claim import ComputedClaim
    from sparring.experiments.reproductions.preset import Preset

HERE = "sparring.experiments.reproductions"

PRESETS = Imports(
    {
        "rla-fig3": f"{HERE}.rla.fig3:RLA_FIG3",
        "rla-fig3-appendix": f"{HERE}.rla.fig3:RLA_FIG3_APPENDIX",
        "rla-fig3-krum": f"{HERE}.rla.krum:RLA_FIG3_KRUM",
        "rla-fig3-fashion": f"{HERE}.rla.fig3:RLA_FIG3_FASHION",
        "rla-fig4a": f"{HERE}.rla.fig4:RLA_FIG4A",
        "rla-fig4a-krum": f"{HERE}.rla.krum:RLA_FIG4A_KRUM",
        "rla-fig4b": f"{HERE}.rla.fig4:RLA_FIG4B",
        "rla-fig4c": f"{HERE}.rla.fig4:RLA_FIG4C",
        "marl-fig2": f"{HERE}.marl.fig2:MARL_FIG2",
        "msg-table1": f"{HERE}.msg.table1:MSG_TABLE1",
        "msg-table4": f"{HERE}.msg.table4:MSG_TABLE4",
        "msg-table7": f"{HERE}.msg.table7:MSG_TABLE7",
        "r2t2-table2": f"{HERE}.r2t2.table2:R2T2_TABLE2",
        "r2t2-table2-cnn": f"{HERE}.r2t2.table2:R2T2_TABLE2_CNN",
        "r2t2-table2-fashion": f"{HERE}.r2t2.table2:R2T2_TABLE2_FASHION",
        "r2t2-table2-cifar10": f"{HERE}.r2t2.table2:R2T2_TABLE2_CIFAR10",
        "r2t2-fig4": f"{HERE}.r2t2.fig4:R2T2_FIG4",
        "r2t2-fig4-epsilon": f"{HERE}.r2t2.fig4:R2T2_FIG4_EPSILON",
        "r2t2-fig5": f"{HERE}.r2t2.fig5:R2T2_FIG5",
        "r2t2-fig5-epsilon": f"{HERE}.r2t2.fig5:R2T2_FIG5_EPSILON",
        "r2t2-fig5-validation": f"{HERE}.r2t2.fig5:R2T2_FIG5_VALIDATION",
        "r2t2-table3": f"{HERE}.r2t2.table3:R2T2_TABLE3",
        "r2t2-table3-cifar10": f"{HERE}.r2t2.table3:R2T2_TABLE3_CIFAR10",
        "r2t2-table4": f"{HERE}.r2t2.targeted:R2T2_TABLE4",
        "r2t2-table4-cifar10": f"{HERE}.r2t2.targeted:R2T2_TABLE4_CIFAR10",
        "r2t2-table5": f"{HERE}.r2t2.targeted:R2T2_TABLE5",
        "r2t2-table5-cifar10": f"{HERE}.r2t2.targeted:R2T2_TABLE5_CIFAR10",
        "r2t2-tablea6": f"{HERE}.r2t2.appendix:R2T2_TABLEA6",
        "r2t2-tablea6-cifar10": f"{HERE}.r2t2.appendix:R2T2_TABLEA6_CIFAR10",
        "r2t2-tablea7": f"{HERE}.r2t2.appendix:R2T2_TABLEA7",
        "r2t2-tablea7-cifar10": f"{HERE}.r2t2.appendix:R2T2_TABLEA7_CIFAR10",
        "r2t2-fig6a": f"{HERE}.r2t2.fig6:R2T2_FIG6A",
        "r2t2-fig6b": f"{HERE}.r2t2.fig6:R2T2_FIG6B",
        "r2t2-fig7": f"{HERE}.r2t2.fig7:R2T2_FIG7",
        "r2t2-figa9": f"{HERE}.r2t2.fig7:R2T2_FIGA9",
        "r2t2-figa9-finite": f"{HERE}.r2t2.fig7:R2T2_FIGA9_FINITE",
    }
)
"""Presets that run as a sweep."""

CALCULATIONS = Imports(
    {
        "rla-bound": f"{HERE}.rla.bound:RLA_BOUND",
        "msg-theory": f"{HERE}.msg.theory:MSG_THEORY",
        "r2t2-fig3": f"{HERE}.r2t2.fig3:R2T2_FIG3",
        "r2t2-tablea8": f"{HERE}.r2t2.table_a8:R2T2_TABLE_A8",
    }
)
"""Presets that are calculations."""


class Title(NamedTuple):
    """The title of a preset, and its publication."""

    title: str
    source: str


TITLES = {
    "rla-fig3": Title("MNIST under untargeted attacks: Krum and the clipping median", "Li et al., 2022, figure 3"),
    "rla-fig3-appendix": Title(
        "MNIST under untargeted attacks: geometric median and FLTrust",
        "Li et al., 2022, appendix E.2, which was not available",
    ),
    "rla-fig3-krum": Title(
        "MNIST under untargeted attacks: Krum with f = 2, with the true f, and as released",
        "Li et al., 2022, figure 3",
    ),
    "rla-fig3-fashion": Title(
        "Fashion-MNIST under untargeted attacks: Krum and the clipping median",
        "Li et al., 2022, figure 3, on other data",
    ),
    "rla-fig4a": Title("MNIST with 7, 8, 10 and 20 attackers", "Li et al., 2022, figure 4(a)"),
    "rla-fig4a-krum": Title(
        "MNIST with 7, 8, 10 and 20 attackers: Krum in three forms", "Li et al., 2022, figure 4(a)"
    ),
    "rla-fig4b": Title("MNIST with three degrees of heterogeneity", "Li et al., 2022, figure 4(b)"),
    "rla-fig4c": Title(
        "MNIST under the learned attack with and without distribution learning, and without labels",
        "Li et al., 2022, figure 4(c, d)",
    ),
    "marl-fig2": Title(
        "Fashion-MNIST under untargeted attacks: median, FLTrust, Safeguard, centered clipping", "MARL, figure 2"
    ),
    "msg-table1": Title("CIFAR-10 under untargeted attacks, backdoors and both: fixed defenses", "MSG, table 1"),
    "msg-table4": Title("MNIST with backdoors: every fixed defense", "MSG, table 4"),
    "msg-table7": Title("CIFAR-10 with backdoors: norm bounds and NeuroClip, manually tuned", "MSG, table 7"),
    "r2t2-table2": Title("MNIST under perturbed minibatches: every attack", "R2T2, table 2"),
    "r2t2-table2-cnn": Title("MNIST under perturbed minibatches: the paper's CNN", "R2T2, table 2"),
    "r2t2-table2-fashion": Title(
        "Fashion-MNIST under perturbed minibatches: every attack", "R2T2, table 2, on other data"
    ),
    "r2t2-table2-cifar10": Title("CIFAR-10 under perturbed minibatches: every attack", "R2T2, table 2"),
    "r2t2-fig4": Title("MNIST under perturbed minibatches: learning curves", "R2T2, figure 4(a)"),
    "r2t2-fig4-epsilon": Title("MNIST under the level-1 attack with several bounds", "R2T2, figure 4(b, c)"),
    "r2t2-fig5": Title("MNIST under the level-1 attack: level 1 and generative defenses", "R2T2, figure 5(a)"),
    "r2t2-fig5-epsilon": Title("MNIST under the level-1 attack: the defender's bound", "R2T2, figure 5(b)"),
    "r2t2-fig5-validation": Title(
        "MNIST under the level-1 attack: the size of the validation set", "R2T2, figure 5(c)"
    ),
    "r2t2-table3": Title("MNIST: denoising, level 1 and CutMix", "R2T2, table 3"),
    "r2t2-table3-cifar10": Title("CIFAR-10: denoising, level 1 and CutMix", "R2T2, table 3"),
    "r2t2-table4": Title("MNIST: conversion into a class", "R2T2, table 4"),
    "r2t2-table4-cifar10": Title("CIFAR-10: conversion into a class", "R2T2, table 4"),
    "r2t2-table5": Title("MNIST: evasion of a class", "R2T2, table 5"),
    "r2t2-table5-cifar10": Title("CIFAR-10: evasion of a class", "R2T2, table 5"),
    "r2t2-tablea6": Title("MNIST under the level-1 attack: crops and dropout", "R2T2, table A.6"),
    "r2t2-tablea6-cifar10": Title("CIFAR-10 under the level-1 attack: crops and dropout", "R2T2, table A.6"),
    "r2t2-tablea7": Title("MNIST under a level-1 attacker without validation examples", "R2T2, table A.7"),
    "r2t2-tablea7-cifar10": Title("CIFAR-10 under a level-1 attacker without validation examples", "R2T2, table A.7"),
    "r2t2-fig6a": Title("1 against 7 of MNIST under three level-2 attacks: logistic regression", "R2T2, figure 6(a)"),
    "r2t2-fig6b": Title(
        "MNIST under three level-2 attacks: a small CNN, and its gradient norm", "R2T2, figure 6(b, c)"
    ),
    "r2t2-fig7": Title("CIFAR-10 under players of levels 0 to 4", "R2T2, figure 7(a, b)"),
    "r2t2-figa9": Title("MNIST under players of levels 0 to 4", "R2T2, figure A.9"),
    "r2t2-figa9-finite": Title(
        "MNIST under players of levels 0 to 4, with short steps", "R2T2, figure A.9, with other steps"
    ),
    "rla-bound": Title("the cost of a wrong estimate, and its bound", "Li et al., 2022, theorem 1"),
    "msg-theory": Title("how fast meta-Stackelberg learning is, and what its assumptions are for", "MSG, theorem F.8"),
    "r2t2-fig3": Title("a scalar regression under players of levels 0 to 2", "R2T2, figure 3"),
    "r2t2-tablea8": Title("test-time robustness of models trained with a level-1 defender", "R2T2, table A.8"),
}
"""The titles of all presets, available without importing them."""


def find_preset(name: str) -> "Preset | ComputedClaim":
    """Return the preset of a published table, figure or theorem; underscores count as hyphens."""
    wanted = name.lower().replace("_", "-")
    for table in (PRESETS, CALCULATIONS):
        if wanted in table:
            found: Preset | ComputedClaim = table[wanted]
            return found
    raise UnknownName(f"unknown preset {name!r}{offer(name, (*PRESETS, *CALCULATIONS))}")
