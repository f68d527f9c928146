"""Table A.8 of R2T2: test-time robustness of models that were trained with a level-1 defender."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import pandas as pd

from sparring.attacks import FgsmPgd, NoPerturbation, Yopo
from sparring.contracts import Model, Perturbation
from sparring.experiments.analysis.claims import Above, Claim, Judgment, judge_claim
from sparring.experiments.analysis.statistics import format_summary, summarize
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.config.build_central import build_central, load_central_dataset
from sparring.experiments.config.central_schema import CentralConfig
from sparring.experiments.config.parse import parse_config
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.computed_claim import ComputedClaim, Part, Row
from sparring.experiments.reproductions.preset import Scale
from sparring.experiments.reproductions.r2t2.fig7 import CIFAR10, MNIST, SEEDS, Levels
from sparring.games.recursive import measure_robust_accuracy, train_central
from sparring.random import stream
from sparring.training.backends.threaded import torch_threads

WEAK = 0.5
"""ε of the level-1 attacker during training."""
STRICT = 20
"""Steps of a longer search, which the table does not have."""
PLAIN, QUIET, ATTACKED = "level 0 against level 0", "level 0", "level 1, ε = 0.5"
"""What a model is trained under; the first is a control without a defender, the others have one of level 1."""
TRAININGS = (PLAIN, QUIET, ATTACKED)
CLEAN, YOPO, FGSM_PGD, LONG = "none", "YOPO-5-3", "FGSM-PGD, 5 steps", f"FGSM-PGD, {STRICT} steps"
BROKEN = 0.20
"""The accuracy that is left at most under a test-time attack; at most 0.056 is published."""


class RobustnessPanel(NamedTuple):
    """A data set of the table: how models are trained on it, the largest change of a pixel, and published numbers."""

    levels: Levels
    epsilon: float
    published: Mapping[tuple[str, str], float]
    """Accuracies by test-time attack and training."""


PANELS: Mapping[str, RobustnessPanel] = {
    "MNIST": RobustnessPanel(
        MNIST,
        0.3,
        {(YOPO, QUIET): 0.013, (YOPO, ATTACKED): 0.030, (FGSM_PGD, QUIET): 0.016, (FGSM_PGD, ATTACKED): 0.056},
    ),
    "CIFAR-10": RobustnessPanel(
        CIFAR10,
        8 / 255,
        {(YOPO, QUIET): 0.018, (YOPO, ATTACKED): 0.034, (FGSM_PGD, QUIET): 0.026, (FGSM_PGD, ATTACKED): 0.052},
    ),
}
HEADER = ("test-time attack", "training", "published", "measured")
ALWAYS = (
    "The L∞ norm of a perturbation is exactly ε but for clipping to the range of pixels; a search starts at the image "
    "itself.",
    f"Beside the table: clean images, FGSM-PGD with {STRICT} steps, and a model trained without any player.",
)


def make_attacks(epsilon: float) -> Mapping[str, Perturbation]:
    """Return the test-time attacks by their labels."""
    return {
        CLEAN: NoPerturbation(),
        YOPO: Yopo(epsilon=epsilon, norm="linf"),
        FGSM_PGD: FgsmPgd(epsilon=epsilon, norm="linf"),
        LONG: FgsmPgd(epsilon=epsilon, steps=STRICT, norm="linf"),
    }


def make_document(panel: RobustnessPanel, scale: Scale, *, training: str, seed: int) -> Section:
    """Return the configuration of a training."""
    levels = panel.levels
    attack = {**levels.player(1, momentum=levels.momentum[scale]), "epsilon": WEAK}
    return {
        **levels.base[scale],
        "attack": attack if training == ATTACKED else {"name": "none"},
        "defense": levels.player(0 if training == PLAIN else 1),
        "seed": seed,
    }


def list_parts(scale: Scale) -> tuple[Part, ...]:
    """Return the trainings: the data set, the attacker during training, and the seed."""
    panels = tuple(PANELS) if scale == "paper" else ("MNIST",)
    return tuple(
        {"data": data, "training": training, "seed": seed}
        for data in panels
        for training in TRAININGS
        for seed in range(SEEDS[scale])
    )


def calculate(scale: Scale, part: Part) -> tuple[Row, ...]:
    """Train a model, and measure its accuracy under each test-time attack."""
    panel = PANELS[part["data"]]
    config = parse_config(make_document(panel, scale, training=part["training"], seed=part["seed"]))
    assert isinstance(config, CentralConfig)
    with torch_threads(config.execution.threads):
        made = build_central(config, load_central_dataset(config))
        state = train_central(made)
        model = Model(made.network, state.parameters)
        rng = stream(part["seed"], "r2t2-tablea8")
        return tuple(
            {"attack": name, "accuracy": measure_robust_accuracy(model, attack, on=made.test, rng=rng)}
            for name, attack in make_attacks(panel.epsilon).items()
        )


def make_tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Yield a table of each data set: published beside measured accuracies."""
    for data, panel in PANELS.items():
        own = [row for row in rows if row["data"] == data]
        lines = [
            (attack, training, _format_published(panel, attack, training), _format_measured(own, attack, training))
            for attack in dict.fromkeys(row["attack"] for row in own)
            for training in TRAININGS
        ]
        if lines:
            yield Table(f"accuracy on perturbed test images of {data}, ε = {panel.epsilon:.3g}", HEADER, tuple(lines))


def judge(scale: Scale, rows: Sequence[Row]) -> tuple[Judgment, ...]:
    """Judge the claims on every data set that was trained on, by intervals over seeds."""
    runs = pd.DataFrame(list(rows))
    return tuple(
        judge_claim(claim, runs, scale=scale) for claim in make_claims(dict.fromkeys(row["data"] for row in rows))
    )


def make_claims(panels: Iterable[str]) -> tuple[Claim, ...]:
    """Return what the text says of the table."""
    places = tuple(product(panels, (YOPO, FGSM_PGD)))
    return (
        Claim(
            "A level-1 attacker during training makes the model more robust at test time, under both attacks.",
            tuple(Above(_cell(*place, ATTACKED), _cell(*place, QUIET), margin=0.0) for place in places),
        ),
        Claim(
            f"The model is not robust either way: at most {BROKEN:.2f} are classified correctly under both attacks.",
            tuple(Above(BROKEN, _cell(*place, name)) for place in places for name in (QUIET, ATTACKED)),
        ),
    )


def _cell(data: str, attack: str, training: str) -> dict[str, str]:
    return {"data": data, "training": training, "attack": attack}


def _format_published(panel: RobustnessPanel, attack: str, training: str) -> str:
    value = panel.published.get((attack, training))
    return "-" if value is None else f"{value:.3f}"


def _format_measured(rows: Sequence[Row], attack: str, training: str) -> str:
    values = [row["accuracy"] for row in rows if (row["attack"], row["training"]) == (attack, training)]
    return format_summary(summarize(values), interval=False) if values else "-"


def _differences(size: str) -> tuple[str, ...]:
    return (*ALWAYS, size)


R2T2_TABLE_A8 = ComputedClaim(
    id="r2t2-tablea8",
    title="test-time robustness of models trained with a level-1 defender",
    source="R2T2, table A.8",
    differences={
        "smoke": _differences("Digits of 8×8 pixels, one minibatch."),
        "laptop": _differences("MNIST alone: a perceptron on 5000 + 500 images, 40 epochs; 3 runs in place of 5."),
        "paper": _differences("The number of published runs is not stated; 5 are made."),
    },
    parts=list_parts,
    calculate=calculate,
    tables=make_tables,
    judge=judge,
)
