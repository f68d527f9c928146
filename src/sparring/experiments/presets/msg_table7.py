"""Table 7 of MSG, the meta-Stackelberg game: norm bounds and NeuroClip's range, tuned by hand."""

from collections.abc import Mapping

from sparring.experiments.claims import Above, Claim
from sparring.experiments.presets.msg_setting import (
    ALWAYS,
    METRICS,
    MUCH,
    NONE,
    STATED,
    Pairs,
    attackers,
    clip_med,
    grid,
    neuro_clip,
    stated,
)
from sparring.experiments.presets.msg_table1 import AIRPLANE, BASES, TRUCK
from sparring.experiments.presets.preset import Preset, Published, Scale
from sparring.experiments.section import Section

NORMS, BOUNDS = (0.2, 0.1, 0.05), (10.0, 6.0, 1.0)
ROWS = (NONE, "DBA", "IPM + BFL")

DEFENSES: Mapping[str, Section] = {
    **{label: bundle for norm in NORMS for label, bundle in clip_med(norm).items()},
    **{label: bundle for bound in BOUNDS for label, bundle in neuro_clip(bound).items()},
}

COLUMNS = (*(f"ClipMed {norm:g}" for norm in NORMS), *(f"NeuroClip {bound:g}" for bound in BOUNDS))
PUBLISHED: Mapping[str, Pairs] = {
    "DBA": ((0.6313, 0.9987), (0.5192, 0.6994), (0.3610, 0.4392), (0.6221, 0.9974), (0.6141, 0.9984), (0.2515, 0.0002)),
    "IPM + BFL": ((0.6060, 0.5123), (0.4917, 0.2104), (0.3614, 0.2253), (0.1, 0.002), (0.1, 0.0), (0.1, 0.0)),
}


def document(scale: Scale) -> Section:
    """Return the sweep: the settings of both defenses by the two attacks, and no attack."""
    rows = attackers(scale, target=TRUCK, source=AIRPLANE)
    return grid(scale, BASES[scale], defenses=DEFENSES, attacks={label: rows[label] for label in ROWS})


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the whole table."""
    return stated(PUBLISHED, COLUMNS, rows=ROWS)


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the paper argues from the table: each setting trades accuracy for backdoor accuracy."""
    loose, tight = (f"ClipMed {norm:g}" for norm in (NORMS[0], NORMS[-1]))
    return (
        Claim(
            "A tighter norm bound lowers the accuracy and the backdoor accuracy under DBA.",
            tuple(
                Above({"defense": loose, "attack": "DBA"}, {"defense": tight, "attack": "DBA"}, metric=metric)
                for metric in STATED
            ),
        ),
        Claim(
            "NeuroClip at its tightest ruins the model under DBA, and the backdoor with it: both lose more than 0.1.",
            tuple(
                Above(
                    {"defense": COLUMNS[3], "attack": "DBA"},
                    {"defense": COLUMNS[-1], "attack": "DBA"},
                    metric=metric,
                    margin=MUCH,
                )
                for metric in STATED
            ),
        ),
    )


MSG_TABLE7 = Preset(
    id="msg-table7",
    title="CIFAR-10 with backdoors: norm bounds and NeuroClip, tuned by hand",
    source="MSG, table 7",
    metrics=METRICS,
    document=document,
    differences={
        "smoke": (*ALWAYS, "Two rounds of lenet on digits, a fifth of the clients, one seed."),
        "laptop": (
            *ALWAYS,
            "The table does not name its data set; its values look like CIFAR-10's.",
            "The network is MARL's for CIFAR-10, 100 rounds for 500, minibatches of 32 for 128; 3 seeds for one.",
        ),
        "paper": (*ALWAYS, "The table does not name its data set; its values look like CIFAR-10's."),
    },
    published=published,
    claims=claims,
)
