"""Figure 3 of Li et al. (2022), also with the rules of its appendix: hand-crafted and learned attacks on MNIST."""

from collections.abc import Iterable, Mapping

from sparring.experiments.analysis.claims import Above, Claim, Least
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Scale, attack_grid, make_cells
from sparring.experiments.reproductions.rla.setting import (
    ATTACKS,
    BASES,
    CLIPPING_MEDIAN,
    FROM_SEED_0,
    KRUM,
    KRUM_FORM,
    LATE,
    LEARNED,
    MALICIOUS,
    SEEDS,
    choose_training,
    differences,
    late_sections,
    learned_section,
)

RULES: Mapping[str, Section] = {
    KRUM: {"name": "krum"},
    CLIPPING_MEDIAN: {"name": "clipping_median", "max_norm": 2.0},
}
APPENDIX: Mapping[str, Section] = {"geometric median": {"name": "geometric_median"}, "FLTrust": {"name": "fltrust"}}
SKEWED: Mapping[str, Section] = {"q = 0.5": {"name": "label_skew", "q": 0.5}}
PARTITIONS: Mapping[str, Section] = {"iid": {"name": "iid"}, **SKEWED}

COLLAPSED, HALVED = 0.10, 0.50
"""The published accuracies under the learned attack: of Krum at the end, and of the clipping median on average."""
ABOVE_COLLAPSED = 0.05
"""A model that always predicts one digit is correct for at most one image in nine."""
AS_STRONG = 0.03
"""The tolerance between two attacks, in the accuracy on average from their start on."""
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

AS_STRONG_WORDS = (
    "Without seeing benign updates it is as strong as the worst hand-crafted attack that begins in the same round: the "
    f"accuracy on average from then on is at most {AS_STRONG} higher."
)


def document(scale: Scale) -> Section:
    """Return the sweep of the figure."""
    return _document(scale)


def appendix_document(scale: Scale) -> Section:
    """Return the sweep of the appendix."""
    return _document(scale, rules=APPENDIX)


def fashion_document(scale: Scale) -> Section:
    """Return the sweep on Fashion-MNIST."""
    grid = _document(scale, partitions=SKEWED)
    base = grid["base"]
    data = base["data"] if scale == "smoke" else {**base["data"], "name": "fashion_mnist"}
    return {**grid, "base": {**base, "data": data}}


def _document(
    scale: Scale,
    *,
    rules: Mapping[str, Section] = RULES,
    partitions: Mapping[str, Section] = PARTITIONS,
) -> Section:
    """Return a sweep of rules by attacks."""
    learned = learned_section(scale, "{partition}-{defense}")
    return attack_grid(
        BASES[scale],
        partitions=partitions,
        rules={name: {"defense": section} for name, section in rules.items()},
        attacks={**ATTACKS, **late_sections(scale), LEARNED: learned},
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def _cells(rule: str, attacks: Iterable[str], partitions: Iterable[str] = PARTITIONS) -> tuple[dict[str, str], ...]:
    return make_cells(partition=partitions, defense=[rule], attack=attacks)


def _worst(partition: str, rule: str, attacks: Iterable[str] = ATTACKS) -> Least:
    return Least(_cells(rule, attacks, [partition]))


def _claim_strongest(rules: Iterable[str], partitions: Iterable[str] = PARTITIONS) -> Claim:
    """Return the claim that the learned attack is the strongest."""
    return Claim(
        STRONGEST,
        tuple(Above(cell, {**cell, "attack": LEARNED}) for rule in rules for cell in _cells(rule, ATTACKS, partitions)),
    )


def _claim_as_strong(scale: Scale, rules: Iterable[str], partitions: Iterable[str] = PARTITIONS) -> Claim:
    """Return the claim that the learned attack is as strong as the worst one that begins in the same round.

    All of them leave the rounds before it unattacked, so that averages over all rounds differ by less.
    """
    begin, rounds = learned_section(scale, "")["start"], BASES[scale]["federation"]["rounds"]
    return Claim(
        AS_STRONG_WORDS,
        tuple(
            Above(_worst(name, rule, LATE), cell, metric="average_accuracy", margin=-AS_STRONG * (1 - begin / rounds))
            for rule in rules
            for name in partitions
            for cell in _cells(rule, [LEARNED], [name])
        ),
    )


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about the learned attack, and the implied ones about hand-crafted attacks."""
    return (
        _claim_strongest(RULES),
        _claim_as_strong(scale, RULES),
        Claim(
            "Under the learned attack Krum falls to about 0.10: its final accuracy is at most 0.15.",
            tuple(Above(COLLAPSED + ABOVE_COLLAPSED, cell) for cell in _cells(KRUM, [LEARNED])),
        ),
        Claim(
            "Under the learned attack the clipping median has an average accuracy of about 0.50: at most 0.60.",
            tuple(
                Above(HALVED + ABOVE_HALVED, cell, metric="average_accuracy")
                for cell in _cells(CLIPPING_MEDIAN, [LEARNED])
            ),
        ),
        Claim(
            "No hand-crafted attack lowers Krum as far as the learned one: its final accuracy is above 0.15.",
            tuple(Above(cell, COLLAPSED, margin=ABOVE_COLLAPSED) for cell in _cells(KRUM, ATTACKS)),
        ),
        Claim(
            "No hand-crafted attack lowers the clipping median as far as the learned one: its average accuracy is "
            "above 0.50.",
            tuple(Above(cell, HALVED, metric="average_accuracy") for cell in _cells(CLIPPING_MEDIAN, ATTACKS)),
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
    differences=differences(FROM_SEED_0, KRUM_FORM),
    published=published,
    claims=claims,
    training=choose_training,
)
RLA_FIG3_APPENDIX = Preset(
    id="rla-fig3-appendix",
    title="MNIST under untargeted attacks: geometric median and FLTrust",
    source="Li et al., 2022, appendix E.2, which was not available",
    metrics=("accuracy", "average_accuracy"),
    document=appendix_document,
    differences=differences(FROM_SEED_0, ROOT),
    published=lambda scale: (),
    claims=lambda scale: (_claim_strongest(APPENDIX), _claim_as_strong(scale, APPENDIX)),
    training=choose_training,
)
RLA_FIG3_FASHION = Preset(
    id="rla-fig3-fashion",
    title="Fashion-MNIST under untargeted attacks: Krum and the clipping median",
    source="Li et al., 2022, figure 3, on other data",
    metrics=("accuracy", "average_accuracy"),
    document=fashion_document,
    differences=differences(
        "Fashion-MNIST; the paper's results on it are in its appendix, which was not available.",
        FROM_SEED_0,
        KRUM_FORM,
    ),
    published=lambda scale: (),
    claims=lambda scale: (_claim_strongest(RULES, SKEWED), _claim_as_strong(scale, RULES, SKEWED)),
    training=choose_training,
)
