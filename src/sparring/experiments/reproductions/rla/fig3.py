"""Figure 3 of Li et al. (2022), also with the rules of its appendix: hand-crafted and learned attacks on MNIST."""

from collections.abc import Iterable, Mapping
from functools import partial

from sparring.experiments.analysis.claims import Above, Claim, Least
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Scale, attack_grid, make_cells
from sparring.experiments.reproductions.rla.setting import (
    ATTACKS,
    BASES,
    CLIPPING_MEDIAN,
    KRUM,
    KRUM_FORM,
    LEARNED,
    MALICIOUS,
    SEEDS,
    choose_training,
    differences,
    learned_section,
)

RULES: Mapping[str, Section] = {
    KRUM: {"name": "krum"},
    CLIPPING_MEDIAN: {"name": "clipping_median", "max_norm": 2.0},
}
APPENDIX: Mapping[str, Section] = {"geometric median": {"name": "geometric_median"}, "FLTrust": {"name": "fltrust"}}
PARTITIONS: Mapping[str, Section] = {"iid": {"name": "iid"}, "q = 0.5": {"name": "label_skew", "q": 0.5}}

COLLAPSED, HALVED = 0.10, 0.50
"""The published accuracies under the learned attack: of Krum at the end, and of the clipping median on average."""
ABOVE_COLLAPSED = 0.10
"""A model that always predicts one digit is correct for at most one image in nine."""
ABOVE_HALVED = 0.10
"""The tolerance for `about 0.50` on average."""

ROOT = (
    "The server holds 100 root examples for FLTrust; the paper's appendix, which may state their number, was not "
    "available."
)
STRONGEST = (
    "The learned attack is the strongest in every panel, although IPM and LMP see the benign updates: the final "
    "accuracy is lower under it than under each of the others."
)


def document(scale: Scale, rules: Mapping[str, Section] = RULES) -> Section:
    """Return the sweep: rules by attacks, on an iid partition and on label skew."""
    return attack_grid(
        BASES[scale],
        partitions=PARTITIONS,
        rules={name: {"defense": section} for name, section in rules.items()},
        attacks={**ATTACKS, LEARNED: learned_section(scale, "{partition}-{defense}-{seed}")},
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def _crafted_cells(rule: str) -> tuple[dict[str, str], ...]:
    return make_cells(partition=PARTITIONS, defense=[rule], attack=ATTACKS)


def _learned_cells(rule: str) -> tuple[dict[str, str], ...]:
    return make_cells(partition=PARTITIONS, defense=[rule], attack=[LEARNED])


def _claim_strongest(rules: Iterable[str]) -> Claim:
    """Return the claim that the learned attack is the strongest."""
    return Claim(
        STRONGEST,
        tuple(Above(cell, {**cell, "attack": LEARNED}) for rule in rules for cell in _crafted_cells(rule)),
    )


def _worst(partition: str, rule: str) -> Least:
    return Least(make_cells(partition=[partition], defense=[rule], attack=ATTACKS))


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about the learned attack, and the implied ones about hand-crafted attacks."""
    return (
        _claim_strongest(RULES),
        Claim(
            "Under the learned attack Krum falls to about 0.10: its final accuracy is at most 0.20.",
            tuple(Above(COLLAPSED + ABOVE_COLLAPSED, cell) for cell in _learned_cells(KRUM)),
        ),
        Claim(
            "Under the learned attack the clipping median has an average accuracy of about 0.50: at most 0.60.",
            tuple(
                Above(HALVED + ABOVE_HALVED, cell, metric="average_accuracy")
                for cell in _learned_cells(CLIPPING_MEDIAN)
            ),
        ),
        Claim(
            "No hand-crafted attack lowers Krum as far as the learned one: its final accuracy is above 0.20.",
            tuple(Above(cell, COLLAPSED, margin=ABOVE_COLLAPSED) for cell in _crafted_cells(KRUM)),
        ),
        Claim(
            "No hand-crafted attack lowers the clipping median as far as the learned one: its average accuracy is "
            "above 0.50.",
            tuple(Above(cell, HALVED, metric="average_accuracy") for cell in _crafted_cells(CLIPPING_MEDIAN)),
        ),
        Claim(
            "The clipping median is harder to attack: under the worst hand-crafted attack its accuracy is above "
            "that of Krum.",
            tuple(Above(_worst(name, CLIPPING_MEDIAN), _worst(name, KRUM)) for name in PARTITIONS),
        ),
    )


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the accuracies stated in the paper's text; its figure has no numbers."""
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
    training=choose_training,
)
RLA_FIG3_APPENDIX = Preset(
    id="rla-fig3-appendix",
    title="MNIST under untargeted attacks: geometric median and FLTrust",
    source="Li et al., 2022, appendix E.2, which was not available",
    metrics=("accuracy", "average_accuracy"),
    document=partial(document, rules=APPENDIX),
    differences=differences(ROOT),
    published=lambda scale: (),
    claims=lambda scale: (_claim_strongest(APPENDIX),),
    training=choose_training,
)
