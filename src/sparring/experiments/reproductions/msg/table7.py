"""Table 7 of MSG, the meta-Stackelberg game: norm bounding and NeuroClip's range, manually tuned."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.msg.setting import (
    ALWAYS,
    METRICS,
    MUCH,
    NONE,
    STATED,
    STRONG_MIXED,
    Pairs,
    describe_readings,
    list_published,
    make_attackers,
    make_grid,
    neuro_clip,
    norm_bound,
)
from sparring.experiments.reproductions.msg.table1 import AIRPLANE, BASES, TRUCK
from sparring.experiments.reproductions.preset import Preset, Published, Scale

NORMS, BOUNDS = (0.2, 0.1, 0.05), (10.0, 6.0, 1.0)
ROWS = (NONE, "DBA", "IPM + BFL", "strong DBA", STRONG_MIXED[0])

DEFENSES: Mapping[str, Section] = {
    **{label: bundle for norm in NORMS for label, bundle in norm_bound(norm).items()},
    **{label: bundle for bound in BOUNDS for label, bundle in neuro_clip(bound).items()},
}

COLUMNS = (*(f"NormBound {norm:g}" for norm in NORMS), *(f"NeuroClip {bound:g}" for bound in BOUNDS))
PUBLISHED: Mapping[str, Pairs] = {
    "DBA": ((0.6313, 0.9987), (0.5192, 0.6994), (0.3610, 0.4392), (0.6221, 0.9974), (0.6141, 0.9984), (0.2515, 0.0002)),
    "IPM + BFL": ((0.6060, 0.5123), (0.4917, 0.2104), (0.3614, 0.2253), (0.1, 0.002), (0.1, 0.0), (0.1, 0.0)),
}


def document(scale: Scale) -> Section:
    """Return the sweep: the settings of both defenses by the two attacks and no attack."""
    rows = make_attackers(scale, target=TRUCK, source=AIRPLANE)
    return make_grid(scale, BASES[scale], defenses=DEFENSES, attacks={label: rows[label] for label in ROWS})


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the whole table."""
    return list_published(PUBLISHED, COLUMNS, rows=ROWS)


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the claims that the paper derives from the table: each setting trades accuracy for backdoor accuracy."""

    def fall(first: int, last: int, *, margin: float = 0.0) -> tuple[Above, ...]:
        looser, tighter = ({"defense": COLUMNS[index], "attack": "strong DBA"} for index in (first, last))
        return tuple(Above(looser, tighter, metric=metric, margin=margin) for metric in STATED)

    return (
        Claim(
            "A tighter norm bound lowers the accuracy and the backdoor accuracy under DBA (strong reading).",
            fall(0, len(NORMS) - 1),
        ),
        Claim(
            "NeuroClip with its tightest bound destroys both the model and the backdoor under DBA (strong reading): "
            "both accuracies lose more than 0.1.",
            fall(len(NORMS), len(COLUMNS) - 1, margin=MUCH),
        ),
    )


DIFFERENCES = (
    *ALWAYS,
    *describe_readings("cifar10"),
    "The server holds 200 root examples, as in the main text; no rule of this table uses them.",
    "The columns of norm bounding, which the caption cites, are the mean of bounded updates.",
)

MSG_TABLE7 = Preset(
    id="msg-table7",
    title="CIFAR-10 with backdoors: norm bounds and NeuroClip, manually tuned",
    source="MSG, table 7",
    metrics=METRICS,
    document=document,
    differences={
        "smoke": (*DIFFERENCES, "Two rounds of lenet on digits, a fifth of the clients, one seed."),
        "laptop": (
            *DIFFERENCES,
            "The table does not name its data set; its values resemble those of CIFAR-10.",
            "The network is that of MARL for CIFAR-10; 100 rounds instead of 500, minibatches of 32 instead of 128, "
            "3 seeds instead of one.",
        ),
        "paper": (*DIFFERENCES, "The table does not name its data set; its values resemble those of CIFAR-10."),
    },
    published=published,
    claims=claims,
)
