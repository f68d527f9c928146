"""Figure 2 of MARL, the multi-agent reinforcement learning attack, on Fashion-MNIST: hand-crafted attacks."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Relation, Scale, attack_grid, make_cells

PUBLISHED_RATE, CHOSEN_RATE = 0.001, 0.1
"""The second is the largest of six rates at which FedAvg without attack trained in all runs of the laptop scale, on
both partitions with seeds 0 to 2: at 0.2 one run in six diverged, at 0.3 the first; lower rates train more slowly."""
UNTRAINED_ERROR = 0.58
"""The error of FedAvg after these rounds at the published rate, on iid data with seed 0."""
RATES: Mapping[Scale, tuple[float, ...]] = {
    "smoke": (CHOSEN_RATE,),
    "laptop": (CHOSEN_RATE,),
    "paper": (PUBLISHED_RATE, CHOSEN_RATE),
}

RADIUS, FLOOR = 10.0, 5.0
"""The radius of centered clipping and the threshold of Safeguard, from their authors, for gradients; for updates, which
are gradients times the learning rate, they are multiplied by the learning rate."""
DEVIATION = 0.1
"""The standard deviation of the random updates."""

MEDIAN, FLTRUST, SAFEGUARD, CENTERED_CLIPPING = "median", "FLTrust", "Safeguard", "centered clipping"
RULES = (MEDIAN, FLTRUST, SAFEGUARD, CENTERED_CLIPPING)
ATTACKS: Mapping[str, Section] = {
    "random": {"name": "gaussian", "std": DEVIATION},
    "IPM": {"name": "ipm", "scale": 5.0},
    "LMP": {"name": "lmp"},
    "EB": {"name": "eb"},
}
LEARNED = ("WM", "BM")
PARTITIONS: Mapping[str, Section] = {
    "iid": {"name": "iid"},
    "pr = 0.5": {"name": "client_skew", "main_label_probability": 0.5},
}

BASES: Mapping[Scale, Section] = {
    "smoke": {
        "data": {"name": "synthetic", "features": 6, "examples": 300, "root_size": 20},
        "model": {"name": "logistic"},
        "federation": {"clients": 40, "sampled": 20, "rounds": 4, "batch": 4},
        "evaluation": {"every": 2},
    },
    "laptop": {
        "data": {"name": "fashion_mnist"},
        "model": {"name": "cnn", "width": 8, "activation": "elu"},
        "federation": {"clients": 200, "sampled": 40, "rounds": 250, "batch": 8},
        "evaluation": {"every": 25},
    },
    "paper": {
        "data": {"name": "fashion_mnist"},
        "model": {"name": "cnn", "width": 64, "activation": "elu"},
        "federation": {"clients": 1000, "sampled": 200, "rounds": 1000, "batch": 8},
        "evaluation": {"every": 10},
    },
}
MALICIOUS: Mapping[Scale, int] = {"smoke": 2, "laptop": 10, "paper": 50}
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 20}

BELOW: Relation = "<"
ABOVE: Relation = ">"
LIMITS = {FLTRUST: 0.30, SAFEGUARD: 0.25, CENTERED_CLIPPING: 0.25}
"""The errors that no hand-crafted attack reaches."""
LEARNED_ERRORS = {FLTRUST: 0.80, SAFEGUARD: 0.60, CENTERED_CLIPPING: 0.60}
"""The errors that both coordinated attacks exceed."""

ALWAYS = (
    "Only Fashion-MNIST of the paper's data sets is used. The learned attacks are not included: they must be "
    "trained first.",
    f"Random updates have a standard deviation of {DEVIATION:g} on each parameter, IPM the factor 5, EB five steps; "
    "the paper states none of them.",
    "Centered clipping and Safeguard use the thresholds of their authors; the paper states none.",
    "FLTrust's server holds 100 root examples; the paper does not state their number.",
)


def document(scale: Scale) -> Section:
    """Return the sweep: rules by attacks, on an iid partition and on client skew."""
    return attack_grid(
        BASES[scale],
        partitions=PARTITIONS,
        rules={_label(rule, rate, scale=scale): _rule(rule, rate) for rate in RATES[scale] for rule in RULES},
        attacks=ATTACKS,
        malicious=MALICIOUS[scale],
        seeds=SEEDS[scale],
    )


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the bounds stated in the paper's text; its figure has no numbers."""
    return tuple(
        Published({**cell, "attack": attack}, bound, relation, "error")
        for rate in RATES[scale]
        for rule in LIMITS
        for cell in make_cells(partition=PARTITIONS, defense=[_label(rule, rate, scale=scale)])
        for attacks, bound, relation in ((ATTACKS, LIMITS[rule], BELOW), (LEARNED, LEARNED_ERRORS[rule], ABOVE))
        for attack in attacks
    )


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return the claims of the paper at each learning rate."""
    return (
        Claim(
            "The coordinated attacks WM and BM are stronger than independent ones (IRL), these at least as strong as a "
            "single learned one (RL), and all of them stronger than every hand-crafted attack.",
            needs="the learned attackers",
        ),
        Claim(
            "WM and BM cause errors above 0.80 under FLTrust, and above 0.60 under Safeguard and centered clipping.",
            needs="the learned attackers",
        ),
        *(claim for rate in RATES[scale] for claim in _judgeable(rate, scale)),
    )


def _judgeable(rate: float, scale: Scale) -> tuple[Claim, ...]:
    return (
        Claim(
            f"Under FLTrust every hand-crafted attack causes an error below 0.30 (lr {rate:g}).",
            _below((FLTRUST,), rate, scale=scale),
        ),
        Claim(
            "Under Safeguard and centered clipping every hand-crafted attack causes an error below 0.25 (lr "
            f"{rate:g}).",
            _below((SAFEGUARD, CENTERED_CLIPPING), rate, scale=scale),
        ),
    )


def _below(rules: tuple[str, ...], rate: float, *, scale: Scale) -> tuple[Above, ...]:
    """Return the statements that the error under every attack is below the limits of the rules."""
    return tuple(
        Above(LIMITS[rule], cell, metric="error")
        for rule in rules
        for cell in make_cells(partition=PARTITIONS, defense=[_label(rule, rate, scale=scale)], attack=ATTACKS)
    )


def _label(rule: str, rate: float, *, scale: Scale) -> str:
    """Name a rule, with the learning rate if there are several rates."""
    return rule if len(RATES[scale]) == 1 else f"{rule}, {rate:g}"


def _rule(rule: str, rate: float) -> dict[str, Section | float]:
    """Return the settings of a rule: the rule with its thresholds for updates, and the learning rate."""
    sections: Mapping[str, Section] = {
        MEDIAN: {"name": "median"},
        FLTRUST: {"name": "fltrust"},
        SAFEGUARD: {"name": "safeguard", "floor": FLOOR * rate},
        CENTERED_CLIPPING: {"name": "centered_clipping", "radius": RADIUS * rate},
    }
    return {"defense": sections[rule], "federation.lr": rate}


MARL_FIG2 = Preset(
    id="marl-fig2",
    title="Fashion-MNIST under untargeted attacks: median, FLTrust, Safeguard, centered clipping",
    source="MARL, figure 2",
    metrics=("error",),
    document=document,
    differences={
        "smoke": (*ALWAYS, "Four rounds of logistic regression on synthetic data, one seed."),
        "laptop": (
            *ALWAYS,
            "The network has an eighth of the published width: 8, 16 and 16 channels.",
            "200 clients, 40 sampled per round and 10 malicious, instead of 1000, 200 and 50: the published shares.",
            f"250 rounds instead of 1000, at lr {CHOSEN_RATE:g}: the largest of six that trained in every run "
            f"without attack. At the published lr of {PUBLISHED_RATE:g} FedAvg's error without attack is still "
            f"{UNTRAINED_ERROR:.2f}.",
            "3 seeds instead of 20.",
        ),
        "paper": (
            *ALWAYS,
            f"Runs use the published lr of {PUBLISHED_RATE:g}, at which the model hardly trains, and "
            f"{CHOSEN_RATE:g}, the largest of six that trained in every run without attack at laptop scale; the "
            "number after a rule is its lr.",
        ),
    },
    published=published,
    claims=claims,
)
