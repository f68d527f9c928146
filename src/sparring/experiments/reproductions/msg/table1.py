"""Table 1 of MSG, the meta-Stackelberg game: fixed defenses on CIFAR-10 under single and mixed attacks."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.msg.setting import (
    ALWAYS,
    BFL_GETS_THROUGH,
    FEDAVG,
    FLTRUST,
    FLTRUST_NEUROCLIP,
    LEARNED_WINS,
    METRICS,
    MINIMUM,
    NONE,
    RULES,
    STRONG,
    STRONG_MIXED,
    TRIMMED_MEAN,
    Pairs,
    claim_mixed_attacks_win,
    clip_med,
    describe_readings,
    list_published,
    make_attackers,
    make_grid,
)
from sparring.experiments.reproductions.preset import Preset, Published, Scale

AIRPLANE, TRUCK = 0, 9
NORM = 1.0
CLIP_MED = f"ClipMed {NORM:g}"
ROWS = (NONE, "IPM", MINIMUM, "LMP", "BFL", "DBA", "IPM + BFL", "LMP + DBA", *STRONG)
SHORT = (NONE, "strong BFL", STRONG_MIXED[0])
"""The attacks of the smoke scale."""

DEFENSES: Mapping[str, Section] = {
    FEDAVG: RULES[FEDAVG],
    TRIMMED_MEAN: RULES[TRIMMED_MEAN],
    FLTRUST: RULES[FLTRUST],
    **clip_med(NORM),
    FLTRUST_NEUROCLIP: RULES[FLTRUST_NEUROCLIP],
}

BASES: Mapping[Scale, Section] = {
    "smoke": {},
    "laptop": {
        "data": {"name": "cifar10", "root_size": 200},
        "model": {"name": "cnn7"},
        "federation": {"rounds": 100},
    },
    "paper": {
        "data": {"name": "cifar10", "root_size": 200},
        "model": {"name": "resnet18"},
        "federation": {"rounds": 500},
    },
}

COLUMNS = (FEDAVG, TRIMMED_MEAN, FLTRUST, CLIP_MED, FLTRUST_NEUROCLIP)
PUBLISHED: Mapping[str, Pairs] = {
    NONE: ((0.7082, 0.100), (0.7093, 0.1078), (0.7139, 0.1066), (0.5280, 0.1212), (0.7100, 0.1061)),
    "IPM": ((0.1369, 0.0312), (0.6542, 0.1174), (0.6828, 0.1054), (0.5172, 0.1220), (0.6656, 0.0971)),
    "LMP": ((0.1115, 0.1174), (0.6224, 0.1033), (0.7071, 0.099), (0.5144, 0.121), (0.7075, 0.104)),
    "BFL": ((0.7137, 1.0), (0.7034, 1.0), (0.7145, 1.0), (0.5198, 0.5337), (0.7100, 0.1061)),
    "DBA": ((0.7007, 0.7815), (0.6904, 0.7737), (0.7010, 0.8048), (0.4935, 0.6261), (0.6618, 0.9946)),
    "IPM + BFL": ((0.3104, 0.8222), (0.6415, 1.0), (0.6911, 1.0), (0.5097, 0.5776), (0.6817, 0.0267)),
    "LMP + DBA": ((0.1124, 0.1817), (0.6444, 0.7311), (0.7007, 0.7620), (0.4841, 0.6342), (0.6032, 0.8422)),
}


def document(scale: Scale) -> Section:
    """Return the sweep: the columns of the table without a learned player, by its rows."""
    rows = make_attackers(scale, target=TRUCK, source=AIRPLANE)
    return make_grid(scale, BASES[scale], defenses=DEFENSES, attacks={label: rows[label] for label in _rows(scale)})


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the table without its learned column."""
    return list_published(PUBLISHED, COLUMNS, rows=_rows(scale))


def _rows(scale: Scale) -> tuple[str, ...]:
    return SHORT if scale == "smoke" else ROWS


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the claims that the paper derives from the table."""
    return (
        LEARNED_WINS,
        BFL_GETS_THROUGH,
        claim_mixed_attacks_win(DEFENSES, attacks=[attack for attack in STRONG_MIXED if attack in _rows(scale)]),
        Claim(
            "FedAvg has lower accuracy under IPM with BFL than under BFL alone (strong reading).",
            (Above({"defense": FEDAVG, "attack": "strong BFL"}, {"defense": FEDAVG, "attack": STRONG_MIXED[0]}),),
        ),
    )


DIFFERENCES = (*ALWAYS, *describe_readings("cifar10"), "The server holds 200 root examples, as in the main text.")

MSG_TABLE1 = Preset(
    id="msg-table1",
    title="CIFAR-10 under untargeted attacks, backdoors and both: fixed defenses",
    source="MSG, table 1",
    metrics=METRICS,
    document=document,
    differences={
        "smoke": (*DIFFERENCES, "Two rounds of lenet on digits, a fifth of the clients, two attacks, one seed."),
        "laptop": (
            *DIFFERENCES,
            "The network is that of MARL for CIFAR-10; 100 rounds instead of 500, minibatches of 32 instead of 128, "
            "3 seeds instead of one.",
        ),
        "paper": (*DIFFERENCES, "3 seeds instead of one."),
    },
    published=published,
    claims=claims,
)
