"""Common settings of the tables of MSG, the meta-Stackelberg game: attacks, fixed defenses and federation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sparring.experiments.analysis.claims import Above, AnyOf, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Published, Scale, assumed_share

UNTARGETED, BACKDOORED, DISTRIBUTED = 10, 5, 20
"""Malicious clients of 100, as in its main text; its appendix C has 20 untargeted ones."""
RATE = 0.05
"""The learning rate, which converts a bound on gradients into a bound on updates."""
NEVER = 10**7
"""A round that no run reaches."""
ASSUMED = 0.2
"""The share of malicious updates that all rules assume in the literal reading under every attack: the share of DBA."""

SPLIT = 0.5
"""The threshold between a failed and a successful backdoor."""
MUCH = 0.1
"""The loss of accuracy that counts as a failed defense; in the paper the learned defense loses at most 0.04."""

ROOT_BIAS = 0.5
"""The share of the first class in the server's root data, as in its appendix C."""

Attackers = Sequence[Section]
Pairs = Sequence[tuple[float, float]]
"""The values in a row of a table: one pair of accuracy and backdoor accuracy per column."""
STATED = ("average_accuracy", "average_backdoor_accuracy_of_all")
"""Our interpretation of the metrics in the tables."""
METRICS = (
    "average_accuracy",
    "average_backdoor_accuracy",
    "average_backdoor_accuracy_with_target",
    "average_backdoor_accuracy_of_all",
)

NONE = "none"
MINIMUM = "IPM minimum"
MIXED = ("IPM + BFL", "LMP + DBA")
STRONG: Mapping[str, str] = {
    "strong BFL": "BFL",
    "strong DBA": "DBA",
    "strong IPM + BFL": MIXED[0],
    "strong LMP + DBA": MIXED[1],
}
"""The rows of the strong reading, and the corresponding published rows."""
STRONG_MIXED = tuple(row for row, published in STRONG.items() if published in MIXED)
READ = {**STRONG, MINIMUM: "IPM"}
"""The rows that interpret a published row differently from its literal text."""
TRIMMED_MEAN, FLTRUST, KRUM = "trimmed mean", "FLTrust", "Krum"
FEDAVG, FLTRUST_NEUROCLIP = "FedAvg", "FLTrust + NeuroClip"

BASES: Mapping[Scale, Section] = {
    "smoke": {
        "data": {"name": "digits", "root_size": 20, "root_bias": ROOT_BIAS},
        "federation": {"clients": 20, "sampled": 10, "rounds": 2, "batch": 4, "lr": RATE},
        "model": {"name": "lenet"},
        "evaluation": {"every": 2},
    },
    "laptop": {
        "data": {"root_size": 100, "root_bias": ROOT_BIAS},
        "federation": {"clients": 100, "sampled": 10, "batch": 32, "lr": RATE},
        "evaluation": {"every": 25},
    },
    "paper": {
        "data": {"root_size": 100, "root_bias": ROOT_BIAS},
        "federation": {"clients": 100, "sampled": 10, "batch": 128, "lr": RATE},
        "evaluation": {"every": 10},
    },
}
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 3}

RULES: Mapping[str, Section] = {
    FEDAVG: {"defense": {"name": "mean"}},
    TRIMMED_MEAN: {"defense": {"name": "trimmed_mean"}},
    KRUM: {"defense": {"name": "krum"}},
    FLTRUST: {"defense": {"name": "fltrust"}},
    FLTRUST_NEUROCLIP: {"defense": {"name": "fltrust"}, "post_training": {"name": "neuroclip"}},
}

ALWAYS = (
    "The learned attacks and defenses are not included: they must be trained first.",
    "The paper does not state the unit of the norms of ClipMed and norm bounding: each norm is interpreted as a "
    "norm of updates, and as a norm of gradients, which are updates divided by the learning rate.",
    "Backdoor accuracy is printed over the images that the trigger aims at, including images of the target class, and "
    "over all images: a model without a backdoor reaches about 0.10 over all images, as published. The trigger is also "
    "evaluated where no backdoor is implanted.",
    f"The counts are those of the main text: {UNTARGETED} untargeted attackers of 100, {BACKDOORED} with a backdoor, "
    f"{DISTRIBUTED} of DBA; appendix C has 20 untargeted ones.",
    "IPM multiplies the mean of the benign updates by -2; the row with the minimum reverses their coordinate-wise "
    "minimum, which gives FedAvg an accuracy closer to the published 0.14. The paper states only the factor.",
    "FLTrust's root data prefer the first class with q = 0.5 (appendix C).",
)
LITERAL = (
    "Backdoors are run in two readings. Plain rows use the main text's poisoning ratios (1, DBA 0.5), evenly "
    "distributed parts of DBA, {aim}, and one local step, and every rule assumes 20 % malicious updates."
)
AIMS = {"mnist": "all classes as sources", "cifar10": "only airplanes as source and trucks as target (appendix C)"}
STRONGLY = (
    "Strong rows use appendix C's ratio of 0.5, random parts of DBA, all classes as sources, one epoch of malicious "
    "training, IPM with the minimum, and rules that assume the true share. They are our interpretation, and claims "
    "about backdoors are judged by them; the published values are shown next to both readings."
)


def describe_readings(data: Literal["mnist", "cifar10"]) -> tuple[str, ...]:
    """Describe the readings of the backdoors in a table on this data set."""
    return LITERAL.format(aim=AIMS[data]), STRONGLY


LEARNED_WINS = Claim(
    "The learned defense is best or within 0.02 of best in accuracy, and lowest in backdoor accuracy, in every row "
    "with an attack.",
    needs="the learned defense",
)
BFL_GETS_THROUGH = Claim(
    "Rules against untargeted attacks do not stop BFL (strong reading): FedAvg, trimmed mean and FLTrust end with a "
    "backdoor accuracy above 0.5.",
    tuple(
        Above({"defense": rule, "attack": "strong BFL"}, SPLIT, metric="backdoor_accuracy")
        for rule in (FEDAVG, TRIMMED_MEAN, FLTRUST)
    ),
)


def claim_mixed_attacks_win(rules: Iterable[str], *, attacks: Iterable[str] = MIXED) -> Claim:
    """Return the claim that mixed attacks defeat each of the fixed defenses, which do not include FedAvg."""
    mixed = tuple(attacks)
    return Claim(
        f"Mixed attacks defeat every single fixed defense: under {' or '.join(mixed)} each ends with an accuracy more "
        f"than {MUCH:g} below FedAvg's without attack, or with a backdoor accuracy above {SPLIT:g}.",
        tuple(_defeated(rule, mixed) for rule in rules if rule != FEDAVG),
    )


def _defeated(rule: str, attacks: Iterable[str]) -> AnyOf:
    """Return the statement that one of the attacks lowers the accuracy under a rule, or implants its backdoor."""
    cells = [{"defense": rule, "attack": attack} for attack in attacks]
    clean = {"defense": FEDAVG, "attack": NONE}
    return AnyOf(
        (
            *(Above(clean, cell, margin=MUCH) for cell in cells),
            *(Above(cell, SPLIT, metric="backdoor_accuracy") for cell in cells),
        )
    )


def clip_med(norm: float) -> dict[str, Section]:
    """Return ClipMed with a norm bound in both interpretations of its unit."""
    return _bounded(f"ClipMed {norm:g}", "clipping_median", norm=norm)


def norm_bound(norm: float) -> dict[str, Section]:
    """Return norm bounding in both interpretations of its unit."""
    return _bounded(f"NormBound {norm:g}", "norm_bounding", norm=norm)


def _bounded(label: str, rule: str, *, norm: float) -> dict[str, Section]:
    bounds = {label: norm, f"{label} on gradients": norm * RATE}
    return {label: {"defense": {"name": rule, "max_norm": round(bound, 9)}} for label, bound in bounds.items()}


def neuro_clip(bound: float) -> dict[str, Section]:
    """Return FedAvg with NeuroClip, which clips the model's activations to a bound."""
    repair = {"name": "neuroclip", "bound": bound}
    return {f"NeuroClip {bound:g}": {"defense": {"name": "mean"}, "post_training": repair}}


def make_attackers(scale: Scale, *, target: int, source: int | None) -> dict[str, Attackers]:
    """Return the attackers of each row of a table; at smoke scale with a fifth of the clients."""
    aim = {"target": target, "source": source}
    strong = {"target": target, "source": None, "ratio": 0.5, "local_epochs": 1.0}
    ipm = _attacker(scale, UNTARGETED, name="ipm", scale=2.0)
    minimum = {**ipm, "of": "minimum"}
    lmp = _attacker(scale, UNTARGETED, name="lmp")
    bfl = _attacker(scale, BACKDOORED, name="bfl", ratio=1.0, **aim)
    dba = _attacker(scale, DISTRIBUTED, name="dba", ratio=0.5, **aim)
    pgd = _attacker(scale, BACKDOORED, name="pgd", ratio=1.0, **aim)
    strong_bfl = _attacker(scale, BACKDOORED, name="bfl", **strong)
    strong_dba = _attacker(scale, DISTRIBUTED, name="dba", parts="random", **strong)
    # It never starts: its trigger is evaluated on a model without a backdoor.
    idle = {**bfl, "start": NEVER}
    return {
        NONE: [idle],
        "IPM": [ipm, idle],
        MINIMUM: [minimum, idle],
        "LMP": [lmp, idle],
        "BFL": [bfl],
        "DBA": [dba],
        "PGD": [pgd],
        MIXED[0]: [ipm, bfl],
        MIXED[1]: [lmp, dba],
        **dict(zip(STRONG, ([strong_bfl], [strong_dba], [minimum, strong_bfl], [lmp, strong_dba]), strict=True)),
    }


def _attacker(at: Scale, malicious: int, **section: object) -> Section:
    return {**section, "malicious": malicious // 5 if at == "smoke" else malicious}


def list_published(table: Mapping[str, Pairs], columns: Sequence[str], *, rows: Sequence[str]) -> tuple[Published, ...]:
    """Return the published values of these rows, or of the rows that they interpret."""
    return tuple(
        Published({"defense": column, "attack": row}, value, metric=metric)
        for row in rows
        if READ.get(row, row) in table
        for column, pair in zip(columns, table[READ.get(row, row)], strict=True)
        for metric, value in zip(STATED, pair, strict=True)
    )


def make_grid(
    scale: Scale, base: Section, *, defenses: Mapping[str, Section], attacks: Mapping[str, Attackers]
) -> Section:
    """Return the sweep of defenses, each a bundle of settings, by attackers."""
    shared: dict[str, Section] = {name: {**BASES[scale].get(name, {}), **base.get(name, {})} for name in BASES[scale]}
    federation, rules = shared["federation"], [bundle["defense"] for bundle in defenses.values()]

    def make_bundle(label: str, sections: Attackers) -> Section:
        """Return the attackers and the assumed share, which is the true one in the strong reading."""
        malicious = sum(each["malicious"] for each in sections)
        wanted = malicious / federation["clients"] if label in STRONG else ASSUMED
        share = assumed_share(wanted, sampled=federation["sampled"], rules=rules)
        return {"attacks": list(sections), "threat.assumed_malicious": share}

    return {
        "base": {**base, **shared},
        "axes": {
            "defense": {label: {"post_training": {"name": "none"}, **bundle} for label, bundle in defenses.items()},
            "attack": {label: make_bundle(label, each) for label, each in attacks.items()},
            "seed": list(range(SEEDS[scale])),
        },
    }
