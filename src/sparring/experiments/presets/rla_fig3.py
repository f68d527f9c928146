"""Figure 3 of Li et al. (2022), with the rules of its appendix: hand-made attacks on MNIST."""

from collections.abc import Mapping

from sparring.experiments.claims import Above, Claim, Least
from sparring.experiments.presets.preset import Preset, Published, Scale, attack_grid, cells
from sparring.experiments.section import Section

KRUM, CLIPPING_MEDIAN = "Krum", "clipping median"
RULES: Mapping[str, Section] = {
    KRUM: {"name": "krum"},
    CLIPPING_MEDIAN: {"name": "clipping_median", "max_norm": 2.0},
    "geometric median": {"name": "geometric_median"},
    "FLTrust": {"name": "fltrust"},
}
ATTACKS: Mapping[str, Section] = {
    "EB": {"name": "eb"},
    "IPM 5": {"name": "ipm", "scale": 5.0},
    "IPM 2": {"name": "ipm", "scale": 2.0},
    "LMP": {"name": "lmp"},
}
PARTITIONS: Mapping[str, Section] = {"iid": {"name": "iid"}, "q = 0.5": {"name": "label_skew", "q": 0.5}}

BASES: Mapping[Scale, Section] = {
    "smoke": {
        "data": {"name": "synthetic", "features": 6, "examples": 300, "root_size": 20},
        "model": {"name": "logistic"},
        "federation": {"clients": 20, "sampled": 10, "rounds": 4, "batch": 4, "lr": 0.5},
        "evaluation": {"every": 2},
    },
    "laptop": {
        "data": {"name": "mnist"},
        "model": {"name": "cnn", "width": 8},
        "federation": {"clients": 100, "sampled": 10, "rounds": 200, "batch": 32, "lr": 0.05},
        "evaluation": {"every": 10},
    },
    "paper": {
        "data": {"name": "mnist"},
        "model": {"name": "cnn", "width": 64},
        "federation": {"clients": 100, "sampled": 10, "rounds": 1000, "batch": 128, "lr": 0.01},
        "evaluation": {"every": 10},
    },
}
MALICIOUS: Mapping[Scale, int] = {"smoke": 4, "laptop": 20, "paper": 20}
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 4, "paper": 5}
LEARNED = "RL"
COLLAPSED, HALVED = 0.10, 0.50
"""The accuracies to which the learned attack takes Krum and, on average, the clipping median."""
ABOVE_COLLAPSED = 0.10
"""A model that answers with one digit is right at most for one image in nine."""

ALWAYS = (
    "The learned attack is not played: it has to be trained first.",
    "IPM is played with the factor 5 of the authors' code, and with 2; the paper states none.",
    "EB climbs for five steps at the clients' learning rate, without its stealth term; the paper states neither.",
    "The server holds 100 root examples for FLTrust; the paper's appendix, which may say how many, is not at hand.",
    "Attackers share no data, since no hand-made attack uses it.",
)


def document(scale: Scale) -> Section:
    """Return the sweep: rules by attacks, on data that are divided at random and by label."""
    return attack_grid(
        BASES[scale],
        partitions=PARTITIONS,
        rules={name: {"defense": section} for name, section in RULES.items()},
        attacks=ATTACKS,
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def _attacked(rule: str) -> tuple[dict[str, str], ...]:
    return cells(partition=PARTITIONS, defense=[rule], attack=ATTACKS)


def _worst(partition: str, rule: str) -> Least:
    return Least(cells(partition=[partition], defense=[rule], attack=ATTACKS))


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the paper claims of the learned attack, and what follows of those that are made by hand."""
    return (
        Claim(
            "The learned attack is the strongest in every panel, although IPM and LMP see the honest updates.",
            needs="the learned attacker",
        ),
        Claim(
            "Under the learned attack Krum falls to about 0.10 soon after it starts, the clipping median to about 0.50 "
            "on average.",
            needs="the learned attacker",
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
    title="MNIST under untargeted attacks: Krum, clipping median, geometric median, FLTrust",
    source="Li et al., 2022, figure 3",
    metrics=("accuracy", "average_accuracy"),
    document=document,
    differences={
        "smoke": (*ALWAYS, "Four rounds of logistic regression on synthetic data, one seed."),
        "laptop": (
            *ALWAYS,
            "The network has an eighth of the published width: 8, 16 and 16 channels.",
            "200 rounds of 32 examples at lr 0.05, as in the authors' code, for 1000 rounds of 128 at lr 0.01.",
            "4 seeds; the figure shows one run.",
        ),
        "paper": (*ALWAYS, "5 seeds; the figure shows one run."),
    },
    published=published,
    claims=claims,
)
