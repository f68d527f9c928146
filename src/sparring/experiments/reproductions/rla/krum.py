"""Figures 3 and 4(a) of Li et al. (2022) under three forms of Krum: with f = 2, told the true f, and as released."""

from collections.abc import Iterable, Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Scale, attack_grid, cells
from sparring.experiments.reproductions.rla.fig3 import PARTITIONS
from sparring.experiments.reproductions.rla.fig4 import COUNTS, DEFAULT, ENOUGH, HARMED, counted
from sparring.experiments.reproductions.rla.setting import ATTACKS, BASES, MALICIOUS, REHEARSING, SEEDS

FIXED, TOLD, RELEASED = "Krum, f = 2", "Krum, true f", "Krum, as released"
RULES: Mapping[str, Section] = {
    FIXED: {"defense": {"name": "krum"}},
    TOLD: {"defense": {"name": "krum", "malicious": "sampled"}},
    RELEASED: {"defense": {"name": "krum", "malicious": "sampled", "variant": "released"}},
}
NARROW, WIDE = "search 5 / 11", "search 15 / 25"
"""Fixed searches, by γ and E: the middles of the code's ranges for Krum and for the clipping median."""
CRAFTED = ("EB", "IPM 5", "LMP")
SHARED: Mapping[Scale, int] = {"smoke": 20, "laptop": 200, "paper": 200}
"""Examples that the attackers share, all of which every step of a search takes."""

COLLAPSED = 0.2
"""What is left of a model that has collapsed at most: one that always answers with one digit has up to 0.11."""
CHANCE = 0.02
"""What two accuracies near chance may differ by."""

FORMS = (
    "Krum is played in three forms: with f = 2 of 10, as published by Blanchard et al.; told the true f of each round, "
    "an oracle; and as the attack's authors released it: told the true f, distances not squared, n - f - 3 neighbors.",
    "No policy is played: fixed searches stand for the learned attack, with the middles of the code's ranges for Krum "
    "and for the clipping median. They begin in the round in which the learned attack does in rla-fig3, and every step "
    "takes all of the examples that the attackers share, as in the code.",
    "IPM has the factor 5 of the authors' code, EB climbs for five steps on its own shard, and LMP assumes the f that "
    "the rule is told. In the released code EB submits a benign update, boosted, and LMP queries a list without the "
    "updates that it crafted: neither is played.",
)
COUNTS_APART = (
    "Of ten updates four to six equal ones are chosen by the released form whatever they contain; with f = 2 it takes "
    "five. Of 160 rounds 0.3 / 0.5 / 1.3 / 17.5 are expected to draw four or more of 7 / 8 / 10 / 20 attackers, of 900 "
    "rounds 1.4 / 2.7 / 7.4 / 98.6.",
)
SCALED: Mapping[Scale, tuple[str, ...]] = {
    "smoke": ("Four rounds of lenet on digits, a fifth of the clients, one seed.",),
    "laptop": (
        "The network has an eighth of the published width: 8, 16 and 16 channels.",
        "200 rounds of 32 examples at lr 0.05, for 1000 rounds of 128 at lr 0.01, which the paper and the code have.",
        "3 seeds; the figure shows one run.",
    ),
    "paper": ("5 seeds; the figure shows one run.",),
}


def _document(scale: Scale, partitions: Mapping[str, Section]) -> Section:
    search = {
        "name": "local_search",
        "batch": SHARED[scale],
        "shared": SHARED[scale],
        "start": REHEARSING[scale].schedule.attacks_from,
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
    """Return the sweep of figure 4(a): the same by numbers of attackers."""
    return counted(_document(scale, DEFAULT), scale)


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the paper claims of figure 3, with a search in the place of the learned attack."""

    def left(rule: str, attacks: Iterable[str]) -> tuple[dict[str, str], ...]:
        return cells(partition=PARTITIONS, defense=[rule], attack=attacks)

    searched = [(rule, cell) for rule in RULES for cell in left(rule, [NARROW])]
    return (
        *(
            Claim(
                f"A search takes {rule} to about 0.10: no more than 0.20 is left at the end.",
                tuple(Above(COLLAPSED, cell) for each, cell in searched if each == rule),
            )
            for rule in RULES
        ),
        Claim(
            "The search is the strongest attack on Krum as released: every other leaves more at the end.",
            tuple(Above({**cell, "attack": other}, cell) for cell in left(RELEASED, [NARROW]) for other in CRAFTED),
        ),
        Claim(
            f"Our reading of that: no other attack leaves less, to within chance ({CHANCE:g}).",
            tuple(
                Above({**cell, "attack": other}, cell, margin=-CHANCE)
                for cell in left(RELEASED, [NARROW])
                for other in CRAFTED
            ),
        ),
        Claim(
            "EB does nothing to Krum that is told the true f, in either form: more than 0.70 is left at the end.",
            tuple(Above(cell, 0.7) for rule in (TOLD, RELEASED) for cell in left(rule, ["EB"])),
        ),
    )


def attackers_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the paper claims of figure 4(a), under Krum as released."""
    left = cells(partition=DEFAULT, defense=[RELEASED], attack=[NARROW], attackers=ENOUGH)
    return (
        Claim(
            "A search does great harm to Krum as released with 8, 10 and 20 attackers: no more than 0.50 is left at "
            "the end.",
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
