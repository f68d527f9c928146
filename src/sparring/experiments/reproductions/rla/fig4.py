"""Figure 4 of Li et al. (2022): the clients that the learned attack needs, and the effect of distribution learning."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.online_training import OnlineTraining
from sparring.experiments.reproductions.preset import Preset, Published, Scale, attack_grid, make_cells
from sparring.experiments.reproductions.rla.setting import (
    ATTACKS,
    BASES,
    FROM_SEED_0,
    KRUM,
    KRUM_FORM,
    LEARNED,
    MALICIOUS,
    SEEDS,
    choose_training,
    differences,
    learned_section,
    without_inversion,
    without_labels,
)

RULES: Mapping[str, Section] = {KRUM: {"defense": {"name": "krum"}}}
DEFAULT: Mapping[str, Section] = {"q = 0.5": {"name": "label_skew", "q": 0.5}}
LESS_SKEWED: Mapping[str, Section] = {"q = 0.3": {"name": "label_skew", "q": 0.3}}
SKEWS: Mapping[str, Section] = {"q = 0.1": {"name": "label_skew", "q": 0.1}, **LESS_SKEWED, **DEFAULT}
FEW, ENOUGH = "7", ("8", "10", "20")
COUNTS = (FEW, *ENOUGH)
"""Malicious clients of 100."""
SMOKE_COUNTS = (1, 2, 3, 4)
"""The corresponding numbers of the 20 clients at smoke scale."""
UNLEARNED, UNLABELED = "RL without DL", "RL0"
VARIANTS = (LEARNED, UNLEARNED, UNLABELED)

HARMED, UNHARMED = 0.5, 0.7
"""The maximum final accuracy under an attack with superb performance, and the minimum under a failed attack."""
COLLAPSED = 0.2
"""The maximum final accuracy where it stays at a low level."""
SEEING = ("IPM 5", "IPM 2", "LMP")

UNSTATED = "The paper does not state the rule of this figure; Krum is used here."
HERE = (UNSTATED, FROM_SEED_0, KRUM_FORM)


def attackers_document(scale: Scale) -> Section:
    """Return the sweep of panel (a): attacks by numbers of attackers."""
    return add_counts(_document(scale, DEFAULT, {LEARNED: learned_section(scale, "{attackers}")}), scale)


def add_counts(grid: Section, scale: Scale) -> Section:
    """Return a sweep with numbers of attackers as an additional axis."""
    numbers = SMOKE_COUNTS if scale == "smoke" else map(int, COUNTS)
    counts = {count: {"attack.malicious": number} for count, number in zip(COUNTS, numbers, strict=True)}
    return {**grid, "axes": {**grid["axes"], "attackers": counts}}


def attackers_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about panel (a)."""

    def left(attacks: tuple[str, ...], counts: tuple[str, ...]) -> tuple[Labels, ...]:
        return make_cells(partition=DEFAULT, defense=RULES, attack=attacks, attackers=counts)

    return (
        Claim(
            "The learned attack is effective with 8, 10 and 20 attackers: the final accuracy is at most 0.50.",
            tuple(Above(HARMED, cell) for cell in left((LEARNED,), ENOUGH)),
        ),
        Claim(
            "With up to 10 attackers neither IPM nor LMP is effective: the final accuracy is above 0.70.",
            tuple(Above(cell, UNHARMED) for cell in left(SEEING, COUNTS[:-1])),
        ),
        Claim(
            "With 7 attackers no attack does significant damage: the final accuracy is above 0.70.",
            tuple(Above(cell, UNHARMED) for cell in left((*ATTACKS, LEARNED), (FEW,))),
        ),
    )


def skew_document(scale: Scale) -> Section:
    """Return the sweep of panel (b): attacks by degrees of heterogeneity."""
    return _document(scale, SKEWS, {LEARNED: learned_section(scale, "{partition}")})


def skew_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about panel (b)."""
    cells = make_cells(partition=SKEWS, defense=RULES, attack=ATTACKS)
    return (
        Claim(
            "At every degree of heterogeneity the learned attack is stronger than all hand-crafted ones.",
            tuple(Above(cell, {**cell, "attack": LEARNED}) for cell in cells),
        ),
        Claim(
            "With q = 0.3 the accuracy stays low under every policy: at most 0.20 at the end.",
            tuple(
                Above(COLLAPSED, cell) for cell in make_cells(partition=LESS_SKEWED, defense=RULES, attack=[LEARNED])
            ),
        ),
    )


def _document(scale: Scale, partitions: Mapping[str, Section], learned: Mapping[str, Section]) -> Section:
    return attack_grid(
        BASES[scale],
        partitions=partitions,
        rules=RULES,
        attacks={**ATTACKS, **learned},
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def variants_document(scale: Scale) -> Section:
    """Return the sweep of panel (c): the learned attack with less and less information."""
    return _document(scale, LESS_SKEWED, dict.fromkeys(VARIANTS, learned_section(scale, "{attack}")))


def variants_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about panel (c)."""

    def left(attack: str) -> Labels:
        (cell,) = make_cells(partition=LESS_SKEWED, defense=RULES, attack=[attack])
        return cell

    return (
        Claim(
            "Distribution learning makes the attack stronger: the final accuracy is lower than without it.",
            (Above(left(UNLEARNED), left(LEARNED)),),
        ),
        Claim(
            "Without initial labels it is weaker, but stronger than all hand-crafted attacks.",
            (Above(left(UNLABELED), left(LEARNED)), *(Above(left(attack), left(UNLABELED)) for attack in ATTACKS)),
        ),
        Claim(
            "Also without distribution learning it is stronger than all hand-crafted attacks.",
            tuple(Above(left(attack), left(UNLEARNED)) for attack in ATTACKS),
        ),
    )


def variants_published(scale: Scale) -> tuple[Published, ...]:
    """Return the values stated in the paper's text."""
    (cell,) = make_cells(partition=LESS_SKEWED, defense=RULES, attack=[LEARNED])
    return Published(cell, 0.10, "<"), Published({**cell, "attack": UNLEARNED}, 0.20, "≈")


def choose_variant_training(scale: Scale, labels: Labels) -> OnlineTraining:
    """Return the training of a variant."""
    usual = choose_training(scale, labels)
    return {LEARNED: usual, UNLEARNED: without_inversion(usual), UNLABELED: without_labels(usual)}[labels["attack"]]


RLA_FIG4A = Preset(
    id="rla-fig4a",
    title="MNIST with 7, 8, 10 and 20 attackers",
    source="Li et al., 2022, figure 4(a)",
    metrics=("accuracy", "average_accuracy"),
    document=attackers_document,
    differences=differences(*HERE, "Krum assumes 20 attackers for every number of attackers."),
    published=lambda scale: (),
    claims=attackers_claims,
    training=choose_training,
)
RLA_FIG4B = Preset(
    id="rla-fig4b",
    title="MNIST with three degrees of heterogeneity",
    source="Li et al., 2022, figure 4(b)",
    metrics=("accuracy", "average_accuracy"),
    document=skew_document,
    differences=differences(*HERE),
    published=lambda scale: (),
    claims=skew_claims,
    training=choose_training,
)
RLA_FIG4C = Preset(
    id="rla-fig4c",
    title="MNIST under the learned attack with and without distribution learning, and without labels",
    source="Li et al., 2022, figure 4(c, d)",
    metrics=("accuracy", "average_accuracy"),
    document=variants_document,
    differences=differences(
        *HERE, "RL0 trains on the reconstructions from the first step on, since it has no other examples."
    ),
    published=variants_published,
    claims=variants_claims,
    training=choose_variant_training,
)
