"""Table 4 of MSG, the meta-Stackelberg game, with every fixed defense of the paper: backdoors on MNIST."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.msg.setting import (
    ALWAYS,
    BFL_GETS_THROUGH,
    FEDAVG,
    KRUM,
    LEARNED_WINS,
    METRICS,
    NONE,
    READ,
    RULES,
    SPLIT,
    STRONG,
    STRONG_MIXED,
    claim_mixed_attacks_win,
    clip_med,
    describe_readings,
    make_attackers,
    make_grid,
    neuro_clip,
)
from sparring.experiments.reproductions.preset import Preset, Published, Scale

TARGET = 2
NORMS, BOUNDS = (0.2, 0.1, 0.05), (10.0, 6.0, 1.0)
ROWS = (NONE, "BFL", "DBA", "PGD", "IPM + BFL", "LMP + DBA", *STRONG)
SHORT = (NONE, "strong BFL", STRONG_MIXED[0])
"""The attacks of the smoke scale."""
TIGHTEST = f"ClipMed {NORMS[-1]:g} on gradients"

DEFENSES: Mapping[str, Section] = {
    **RULES,
    **{label: bundle for norm in NORMS for label, bundle in clip_med(norm).items()},
    "CRFL": {"defense": {"name": "crfl", "inner": {"name": "mean"}}, "post_training": {"name": "smoothing"}},
    "update norm 0.02 + noise": {"defense": {"name": "weak_differential_privacy"}},
    **{label: bundle for bound in BOUNDS for label, bundle in neuro_clip(bound).items()},
    "Prun": {"defense": {"name": "mean"}, "post_training": {"name": "prun"}},
}

BASES: Mapping[Scale, Section] = {
    "smoke": {},
    "laptop": {"data": {"name": "mnist"}, "model": {"name": "lenet"}, "federation": {"rounds": 250}},
    "paper": {"data": {"name": "mnist"}, "model": {"name": "cnn"}, "federation": {"rounds": 250}},
}

VOTES: Mapping[Scale, int] = {"smoke": 2, "laptop": 5, "paper": 20}
"""The number of noisy copies that vote for CRFL's model."""

PUBLISHED = {
    ("BFL", KRUM): 0.8257,
    ("BFL", "CRFL"): 0.4253,
    ("DBA", KRUM): 0.4392,
    ("DBA", "CRFL"): 0.215,
}


def document(scale: Scale) -> Section:
    """Return the sweep: the fixed defenses by backdoor attacks, some combined with an untargeted attack."""
    rows = make_attackers(scale, target=TARGET, source=None)
    voting = {**DEFENSES["CRFL"], "post_training": {"name": "smoothing", "votes": VOTES[scale]}}
    return make_grid(
        scale,
        BASES[scale],
        defenses={**DEFENSES, "CRFL": voting},
        attacks={label: rows[label] for label in _rows(scale)},
    )


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the two columns of the table that are reproduced."""
    return tuple(
        Published({"defense": defense, "attack": row}, value, metric=METRICS[-1])
        for row in _rows(scale)
        for (attack, defense), value in PUBLISHED.items()
        if attack == READ.get(row, row)
    )


def _rows(scale: Scale) -> tuple[str, ...]:
    return SHORT if scale == "smoke" else ROWS


def _cell(defense: str, attack: str) -> dict[str, str]:
    return {"defense": defense, "attack": attack}


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the claims that the paper derives from its tables."""
    return (
        LEARNED_WINS,
        BFL_GETS_THROUGH,
        claim_mixed_attacks_win(DEFENSES, attacks=[attack for attack in STRONG_MIXED if attack in _rows(scale)]),
        Claim(
            "A norm bound that is tight enough to stop BFL (strong reading) costs accuracy: ClipMed at 0.05, "
            "interpreted as a bound on gradients, keeps the backdoor accuracy below 0.5, and without attack is less "
            "accurate than FedAvg.",
            (
                Above(SPLIT, _cell(TIGHTEST, "strong BFL"), metric="backdoor_accuracy"),
                Above(_cell(FEDAVG, NONE), _cell(TIGHTEST, NONE)),
            ),
        ),
    )


DIFFERENCES = (*ALWAYS, *describe_readings("mnist"), "The server holds 100 root examples, as in both sets of settings.")

MSG_TABLE4 = Preset(
    id="msg-table4",
    title="MNIST with backdoors: every fixed defense",
    source="MSG, table 4",
    metrics=METRICS,
    document=document,
    differences={
        "smoke": (*DIFFERENCES, "Two rounds of lenet on digits, a fifth of the clients, two attacks, one seed."),
        "laptop": (
            *DIFFERENCES,
            "In addition to the two columns of the table, all fixed defenses of the paper are run.",
            "The network is lenet; minibatches of 32 examples instead of 128, 3 seeds instead of one.",
            "CRFL uses its authors' settings for MNIST, since a model cannot have a norm of 0.02; 5 noisy copies vote.",
        ),
        "paper": (
            *DIFFERENCES,
            "In addition to the two columns of the table, all fixed defenses of the paper are run.",
            "CRFL uses its authors' settings for MNIST, since a model cannot have a norm of 0.02.",
        ),
    },
    published=published,
    claims=claims,
)
