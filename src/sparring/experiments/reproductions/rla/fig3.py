"""Figure 3 of Li et al. (2022), and with the rules of its appendix: attacks on MNIST, made by hand and learned."""

from collections.abc import Iterable, Mapping
from functools import partial

from sparring.experiments.analysis.claims import Above, Claim, Least
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Scale, attack_grid, cells
from sparring.experiments.reproductions.rla.setting import (
    ATTACKS,
    BASES,
    CLIPPING_MEDIAN,
    KRUM,
    KRUM_FORM,
    LEARNED,
    MALICIOUS,
    SEEDS,
    differences,
    learned,
    rehearsing,
)

RULES: Mapping[str, Section] = {
    KRUM: {"name": "krum"},
    CLIPPING_MEDIAN: {"name": "clipping_median", "max_norm": 2.0},
}
APPENDIX: Mapping[str, Section] = {"geometric median": {"name": "geometric_median"}, "FLTrust": {"name": "fltrust"}}
PARTITIONS: Mapping[str, Section] = {"iid": {"name": "iid"}, "q = 0.5": {"name": "label_skew", "q": 0.5}}

COLLAPSED, HALVED = 0.10, 0.50
"""The accuracies to which the learned attack takes Krum and, on average, the clipping median."""
ABOVE_COLLAPSED = 0.10
"""A model that answers with one digit is right at most for one image in nine."""
ABOVE_HALVED = 0.10
"""What `about` may mean of the average; more than that is not about 0.50 any more."""

ROOT = "The server holds 100 root examples for FLTrust; the paper's appendix, which may say how many, is not at hand."
STRONGEST = (
    "The learned attack is the strongest in every panel, although IPM and LMP see the benign updates: it leaves less "
    "at the end than each of the others."
)


def document(scale: Scale, rules: Mapping[str, Section] = RULES) -> Section:
    """Return the sweep: rules by attacks, on data that are divided at random and by label."""
    return attack_grid(
        BASES[scale],
        partitions=PARTITIONS,
        rules={name: {"defense": section} for name, section in rules.items()},
        attacks={**ATTACKS, LEARNED: learned(scale, "{partition}-{defense}-{seed}")},
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def _attacked(rule: str) -> tuple[dict[str, str], ...]:
    return cells(partition=PARTITIONS, defense=[rule], attack=ATTACKS)


def _learned(rule: str) -> tuple[dict[str, str], ...]:
    return cells(partition=PARTITIONS, defense=[rule], attack=[LEARNED])


def _strongest(rules: Iterable[str]) -> Claim:
    """Return the claim that no attack does as much harm as the learned one."""
    return Claim(
        STRONGEST,
        tuple(Above(cell, {**cell, "attack": LEARNED}) for rule in rules for cell in _attacked(rule)),
    )


def _worst(partition: str, rule: str) -> Least:
    return Least(cells(partition=[partition], defense=[rule], attack=ATTACKS))


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the paper claims of the learned attack, and what follows of those that are made by hand."""
    return (
        _strongest(RULES),
        Claim(
            "Under the learned attack Krum falls to about 0.10: no more than 0.20 is left at the end.",
            tuple(Above(COLLAPSED + ABOVE_COLLAPSED, cell) for cell in _learned(KRUM)),
        ),
        Claim(
            "Under the learned attack about 0.50 is left of the clipping median on average: no more than 0.60.",
            tuple(Above(HALVED + ABOVE_HALVED, cell, metric="average_accuracy") for cell in _learned(CLIPPING_MEDIAN)),
        ),
        Claim(
            "No hand-made attack takes Krum as far down as the learned one: more than 0.20 is left at the end.",
            tuple(Above(cell, COLLAPSED, margin=ABOVE_COLLAPSED) for cell in _attacked(KRUM)),
        ),
        Claim(
            "No hand-made attack takes the clipping median as far down as the learned one: more than 0.50 is left on "
            "average.",
            tuple(Above(cell, HALVED, metric="average_accuracy") for cell in _attacked(CLIPPING_MEDIAN)),
        ),
        Claim(
            "Attacks are harder under the clipping median: the worst hand-made one leaves it more than Krum.",
            tuple(Above(_worst(name, CLIPPING_MEDIAN), _worst(name, KRUM)) for name in PARTITIONS),
        ),
    )


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the accuracies that the paper states in its text; its figure has no numbers."""
    return tuple(
        Published({"partition": name, "defense": rule, "attack": LEARNED}, value, "≈", metric)
        for name in PARTITIONS
        for rule, value, metric in ((KRUM, COLLAPSED, "accuracy"), (CLIPPING_MEDIAN, HALVED, "average_accuracy"))
    )


RLA_FIG3 = Preset(
    id="rla-fig3",
    title="MNIST under untargeted attacks: Krum and the clipping median",
    source="Li et al., 2022, figure 3",
    metrics=("accuracy", "average_accuracy"),
    document=document,
    differences=differences(KRUM_FORM),
    published=published,
    claims=claims,
    rehearsing=rehearsing,
)
RLA_FIG3_APPENDIX = Preset(
    id="rla-fig3-appendix",
    title="MNIST under untargeted attacks: geometric median and FLTrust",
    source="Li et al., 2022, appendix E.2, which is not at hand",
    metrics=("accuracy", "average_accuracy"),
    document=partial(document, rules=APPENDIX),
    differences=differences(ROOT),
    published=lambda scale: (),
    claims=lambda scale: (_strongest(APPENDIX),),
    rehearsing=rehearsing,
)
