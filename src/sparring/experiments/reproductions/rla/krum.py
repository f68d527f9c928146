"""Figures 3 and 4(a) of Li et al. (2022) under three forms of Krum: with f = 2, with the true f, and as released."""

from collections.abc import Iterable, Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Scale, attack_grid, make_cells
from sparring.experiments.reproductions.rla.fig3 import PARTITIONS
from sparring.experiments.reproductions.rla.fig4 import COUNTS, DEFAULT, ENOUGH, HARMED, add_counts
from sparring.experiments.reproductions.rla.setting import ATTACKS, BASES, MALICIOUS, TRAININGS

FIXED, TRUE, RELEASED = "Krum, f = 2", "Krum, true f", "Krum, as released"
RULES: Mapping[str, Section] = {
    FIXED: {"defense": {"name": "krum"}},
    TRUE: {"defense": {"name": "krum", "malicious": "sampled"}},
    RELEASED: {"defense": {"name": "krum", "malicious": "sampled", "variant": "released"}},
}
NARROW, WIDE = "search 5 / 11", "search 15 / 25"
"""Fixed searches by γ and E: the middles of the released code's ranges for Krum and for the clipping median."""
CRAFTED = ("EB", "IPM 5", "LMP")
SHARED: Mapping[Scale, int] = {"smoke": 20, "laptop": 200, "paper": 200}
"""The number of examples that the attackers share; every step of a search uses all of them."""

SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 5}

COLLAPSED = 0.2
"""The maximum accuracy of a collapsed model: one that always predicts one digit has up to 0.11."""
CHANCE = 0.02
"""The tolerance between two accuracies near chance."""

FORMS = (
    "Krum is run in three forms: with f = 2 of 10, as published by Blanchard et al.; with the true f of each round, "
    "which is an oracle; and as released by the attack's authors: with the true f, distances not squared, n - f - 3 "
    "neighbors.",
    "No policy is used: fixed searches replace the learned attack, with the middles of the code's ranges for Krum "
    "and for the clipping median. They begin in the same round as the learned attack of rla-fig3, and every step "
    "uses all examples that the attackers share, as in the code.",
    "IPM has the factor 5 of the authors' code, EB makes five ascent steps on its own shard, and LMP assumes the f "
    "that the rule receives. In the released code EB submits a boosted benign update, and LMP evaluates a list "
    "without the updates that it crafted: neither is reproduced.",
)
COUNTS_APART = (
    "The released form always chooses one of four to six equal updates among ten; with f = 2 this needs five. Of 160 "
    "rounds, 0.3 / 0.5 / 1.3 / 17.5 are expected to sample four or more of 7 / 8 / 10 / 20 attackers; of 900 rounds, "
    "1.4 / 2.7 / 7.4 / 98.6.",
)
SCALED: Mapping[Scale, tuple[str, ...]] = {
    "smoke": ("Four rounds of lenet on digits, a fifth of the clients, one seed.",),
    "laptop": (
        "The network has an eighth of the published width: 8, 16 and 16 channels.",
        "200 rounds of 32 examples at lr 0.05, instead of 1000 rounds of 128 at lr 0.01 as in the paper and the code.",
        "3 seeds; the figure shows one run.",
    ),
    "paper": ("5 seeds; the figure shows one run.",),
}


def _document(scale: Scale, partitions: Mapping[str, Section]) -> Section:
    search = {
        "name": "local_search",
        "batch": SHARED[scale],
        "shared": SHARED[scale],
        "start": TRAININGS[scale].schedule.attacks_from,
    }
    return attack_grid(
        BASES[scale],
        partitions=partitions,
        rules=RULES,
        attacks={
            **{attack: ATTACKS[attack] for attack in CRAFTED},
            NARROW: {**search, "scale": 5.0, "steps": 11},
            WIDE: {**search, "scale": 15.0, "steps": 25},
        },
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def document(scale: Scale) -> Section:
    """Return the sweep: the forms of Krum by attacks, on both partitions of figure 3."""
    return _document(scale, PARTITIONS)


def attackers_document(scale: Scale) -> Section:
    """Return the sweep of figure 4(a): the same with numbers of attackers as an additional axis."""
    return add_counts(_document(scale, DEFAULT), scale)


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about figure 3, with a search instead of the learned attack."""

    def left(rule: str, attacks: Iterable[str]) -> tuple[dict[str, str], ...]:
        return make_cells(partition=PARTITIONS, defense=[rule], attack=attacks)

    searched = [(rule, cell) for rule in RULES for cell in left(rule, [NARROW])]
    return (
        *(
            Claim(
                f"A search lowers {rule} to about 0.10: the final accuracy is at most 0.20.",
                tuple(Above(COLLAPSED, cell) for each, cell in searched if each == rule),
            )
            for rule in RULES
        ),
        Claim(
            "The search is the strongest attack on Krum as released: the final accuracy is higher under every other "
            "attack.",
            tuple(Above({**cell, "attack": other}, cell) for cell in left(RELEASED, [NARROW]) for other in CRAFTED),
        ),
        Claim(
            f"Our interpretation: under no other attack is the final accuracy lower by more than {CHANCE:g}.",
            tuple(
                Above({**cell, "attack": other}, cell, margin=-CHANCE)
                for cell in left(RELEASED, [NARROW])
                for other in CRAFTED
            ),
        ),
        Claim(
            "EB has no effect on Krum with the true f, in either form: the final accuracy is above 0.70.",
            tuple(Above(cell, 0.7) for rule in (TRUE, RELEASED) for cell in left(rule, ["EB"])),
        ),
    )


def attackers_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the paper's claims about figure 4(a), under Krum as released."""
    left = make_cells(partition=DEFAULT, defense=[RELEASED], attack=[NARROW], attackers=ENOUGH)
    return (
        Claim(
            "A search is effective against Krum as released with 8, 10 and 20 attackers: the final accuracy is at most "
            "0.50.",
            tuple(Above(HARMED, cell) for cell in left),
        ),
    )


RLA_FIG3_KRUM = Preset(
    id="rla-fig3-krum",
    title="MNIST under untargeted attacks: Krum with f = 2, with the true f, and as released",
    source="Li et al., 2022, figure 3",
    metrics=("accuracy", "average_accuracy"),
    document=document,
    differences={scale: (*FORMS, *more) for scale, more in SCALED.items()},
    published=lambda scale: (),
    claims=claims,
)
RLA_FIG4A_KRUM = Preset(
    id="rla-fig4a-krum",
    title=f"MNIST with {', '.join(COUNTS[:-1])} and {COUNTS[-1]} attackers: Krum in three forms",
    source="Li et al., 2022, figure 4(a)",
    metrics=("accuracy", "average_accuracy"),
    document=attackers_document,
    differences={scale: (*FORMS, *COUNTS_APART, *more) for scale, more in SCALED.items()},
    published=lambda scale: (),
    claims=attackers_claims,
)
