"""Figure 6 of R2T2: three level-2 attacks, of which two contain the inverse of a Hessian."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import NO_ATTACK, Preset, Scale

LEVEL_0, LEVEL_1, LEVEL_2, OC, IF = "level 0", "level 1", "level 2", "OC", "IF"
SEVENS = "1 against 7"
DIGITS = "ten digits"
EPSILON, MOMENTUM = 3.0, 0.95
ALIKE = 0.03
"""The tolerance between accuracies that are nearly identical."""


class LevelTwoExtent(NamedTuple):
    """The extent of the figure at one scale."""

    seeds: int
    dampings: tuple[float, ...]
    """λ per validation example."""
    iterations: int
    """Of conjugate gradients."""
    every: int = 40


LOGISTIC: Mapping[Scale, LevelTwoExtent] = {
    "smoke": LevelTwoExtent(seeds=1, dampings=(0.1,), iterations=2),
    "laptop": LevelTwoExtent(seeds=5, dampings=(1e-3, 1e-2, 0.1, 1.0), iterations=30),
    "paper": LevelTwoExtent(seeds=10, dampings=(1e-3, 1e-2, 0.1, 1.0), iterations=30),
}
CNN: Mapping[Scale, LevelTwoExtent] = {
    "smoke": LevelTwoExtent(seeds=1, dampings=(0.1,), iterations=1),
    "laptop": LevelTwoExtent(seeds=3, dampings=(0.1, 1.0), iterations=10),
    "paper": LevelTwoExtent(seeds=10, dampings=(1e-2, 0.1, 1.0), iterations=30),
}
DATA: Mapping[str, Section] = {
    SEVENS: {"name": "mnist", "only": [1, 7], "train": 40, "validation": 400},
    DIGITS: {"name": "mnist", "train": 400, "validation": 400},
}
SMOKE: Section = {"name": "digits", "size": 8, "validation": 20}
SMALL_CNN: Section = {"name": "strided_cnn", "channels": [16, 16], "kernel": 3, "hidden": 32}
EPOCHS, BATCH, LR = 120, 500, 8e-4

DAMPING = (
    "The damping of the Hessian and the number of steps of conjugate gradients are not stated, and decide how strong "
    "optimal contraction and the influence function are: several values are run, λ per validation example beside the "
    "name of the attack."
)
ETA = "η is lr / batch with summed losses, also under Adam."
NORMS = "The gradient norm is summed over the training examples as they are, before any perturbation."
CNN_SIZES = (
    "The text calls the CNN a classifier of ten classes, and states sizes for 1 against 7 only: both are run, ten "
    "digits on 400 + 400 images. Its kernels, 3×3 with stride 2, are not stated."
)


def name_damped(attack: str, damping: float) -> str:
    """Return the label of an attack with the inverse of a damped Hessian."""
    return f"{attack}, λ = {damping:g}"


def make_attacks(size: LevelTwoExtent) -> dict[str, Section]:
    """Return no attack, levels 1 and 2, and the two attacks with the inverse of a Hessian for each damping."""
    strength = {"epsilon": EPSILON, "momentum": MOMENTUM}
    levels = {
        LEVEL_1: {"name": "level_k", "level": 1, **strength},
        LEVEL_2: {"name": "level_k", "level": 2, **strength},
    }
    inverse = {
        name_damped(label, damping): {"name": name, "damping": damping, "iterations": size.iterations, **strength}
        for damping in size.dampings
        for label, name in ((OC, "optimal_contraction"), (IF, "influence"))
    }
    return {NO_ATTACK: {"name": "none"}, **levels, **inverse}


def logistic_document(scale: Scale) -> Section:
    """Return the sweep of panel a."""
    data = {SEVENS: DATA[SEVENS]}
    return _document(scale, LOGISTIC[scale], data=data, model={"name": "logistic"})


def cnn_document(scale: Scale) -> Section:
    """Return the sweep of panels b and c."""
    return _document(scale, CNN[scale], data=DATA, model=SMALL_CNN)


def logistic_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of panel a."""
    size = LOGISTIC[scale]
    alike = (
        Above(first, second, margin=-ALIKE)
        for oc, influence in _pairs(SEVENS, size)
        for first, second in ((oc, influence), (influence, oc))
    )
    words = f"Optimal contraction and the influence function are nearly identical: accuracies within {ALIKE}."
    return _claim_strongest((SEVENS,), size), Claim(words, tuple(alike))


def cnn_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of panels b and c."""
    size = CNN[scale]
    pairs = [pair for data in DATA for pair in _pairs(data, size)]
    return (
        _claim_strongest(tuple(DATA), size),
        Claim(
            "On the CNN, accuracy is lower under optimal contraction than under the influence function.",
            tuple(Above(influence, oc) for oc, influence in pairs),
        ),
        Claim(
            "The gradient norm is larger under optimal contraction than under the influence function on the CNN.",
            tuple(Above(oc, influence, metric="gradient_norm", margin=0.0) for oc, influence in pairs),
        ),
    )


def _document(scale: Scale, size: LevelTwoExtent, *, data: Mapping[str, Section], model: Section) -> Section:
    if scale == "smoke":
        # The panels have data of their own at this scale, too, so that no two of them are the same run.
        smaller = {label: {**SMOKE, "train": 20 + index} for index, label in enumerate(data)}
        data, model = smaller, {"name": "logistic"}
    return {
        "base": {
            "kind": "central",
            "training": {"epochs": 2 if scale == "smoke" else EPOCHS, "batch": BATCH, "lr": LR},
            "evaluation": {"every": size.every, "gradient_norm": True},
        },
        "axes": {
            "data": {label: {"data": section, "model": model} for label, section in data.items()},
            "defense": {LEVEL_0: {"defense": {"name": "none"}}},
            "attack": {label: {"attack": section} for label, section in make_attacks(size).items()},
            "seed": list(range(size.seeds)),
        },
    }


def _cell(data: str, attack: str) -> dict[str, str]:
    return {"data": data, "defense": LEVEL_0, "attack": attack}


def _pairs(data: str, size: LevelTwoExtent) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the cells of optimal contraction and of the influence function, with equal damping."""
    for damping in size.dampings:
        yield _cell(data, name_damped(OC, damping)), _cell(data, name_damped(IF, damping))


def _claim_strongest(panels: tuple[str, ...], size: LevelTwoExtent) -> Claim:
    return Claim(
        "Accuracy is lower under the level-2 attack than under optimal contraction and influence, at any damping.",
        tuple(Above(other, _cell(data, LEVEL_2)) for data in panels for pair in _pairs(data, size) for other in pair),
    )


def _differences(sizes: Mapping[Scale, LevelTwoExtent], *own: str) -> Mapping[Scale, tuple[str, ...]]:
    stated, (seeds, _, iterations, _) = (*own, DAMPING, ETA, NORMS), sizes["laptop"]
    return {
        "smoke": (*stated, "Digits of 8×8 pixels, a linear model and two epochs."),
        "laptop": (*stated, f"{seeds} runs in place of 10; {iterations} steps of conjugate gradients."),
        "paper": stated,
    }


R2T2_FIG6A = Preset(
    id="r2t2-fig6a",
    title="1 against 7 of MNIST under three level-2 attacks: logistic regression",
    source="R2T2, figure 6(a)",
    metrics=("accuracy", "gradient_norm"),
    document=logistic_document,
    differences=_differences(LOGISTIC, "The linear model has an output for each of the two classes."),
    published=lambda scale: (),
    claims=logistic_claims,
)
R2T2_FIG6B = Preset(
    id="r2t2-fig6b",
    title="MNIST under three level-2 attacks: a small CNN, and its gradient norm",
    source="R2T2, figure 6(b, c)",
    metrics=("accuracy", "gradient_norm"),
    document=cnn_document,
    differences=_differences(CNN, CNN_SIZES),
    published=lambda scale: (),
    claims=cnn_claims,
)
