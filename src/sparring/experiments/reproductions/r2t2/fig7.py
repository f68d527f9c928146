"""Figures 7 and A.9 of R2T2: attackers of levels 0 to 4 against defenders of levels 0 to 4."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import NO_ATTACK, Preset, Scale

Side = Literal["attack", "defense"]

LEVELS = range(5)
SHORT = 1 / 3
"""The length of a short step along the unit direction, as a share of ε."""
MUCH, LITTLE = 0.20, 0.05
"""The least gain from level 0 to level 1, published as 0.28 for the defender on CIFAR-10; and the largest from level 3
to level 4, published as 0.01."""
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 5}


@dataclass(frozen=True)
class Levels:
    """A matrix of levels: its runs, and how players above level 1 search."""

    base: Mapping[Scale, Section]
    epsilon: float
    momentum: Mapping[Scale, float]
    """β of the attacker's history."""
    smoothness: float
    """M, which determines Γ and the number of steps."""
    effort: float
    """c in the number of steps."""
    step: float | str = "infinite"

    def player(self, level: int, **history: float) -> Section:
        """Return a player of a level; above level 1 it searches by projected gradient descent, as published."""
        if level == 0:
            return {"name": "none"}
        own: Section = {"name": "level_k", "level": level, "epsilon": self.epsilon, **history}
        if level == 1:
            return own
        search = {"method": "descent", "step": self.step, "smoothness": self.smoothness, "effort": self.effort}
        return {**own, **search}

    def document(self, scale: Scale) -> Section:
        """Return the sweep of all pairs of levels."""
        beta = self.momentum[scale]
        return {
            "base": self.base[scale],
            "axes": {
                "defense": {name_level("defense", level): {"defense": self.player(level)} for level in LEVELS},
                "attack": {
                    name_level("attack", level): {"attack": self.player(level, momentum=beta)} for level in LEVELS
                },
                "seed": list(range(SEEDS[scale])),
            },
        }


def name_level(side: Side, level: int) -> str:
    """Return the label of a player's level; an attacker of level 0 is none."""
    return NO_ATTACK if side == "attack" and level == 0 else f"level {level}"


def _central(data: Section, model: Section, *, epochs: int, batch: int) -> Section:
    return {
        "kind": "central",
        "data": data,
        "model": model,
        "training": {"epochs": epochs, "batch": batch, "lr": 8e-4},
        "evaluation": {"every": 100},
    }


MLP: Section = {"name": "mlp", "hidden": 100}
SMOKE = _central({"name": "digits", "size": 8, "train": 40, "validation": 20}, {"name": "mlp"}, epochs=1, batch=40)
MNIST = Levels(
    base={
        "smoke": SMOKE,
        "laptop": _central({"name": "mnist", "train": 5000, "validation": 500}, MLP, epochs=40, batch=500),
        "paper": _central({"name": "mnist", "validation": 5000}, {"name": "strided_cnn"}, epochs=120, batch=500),
    },
    epsilon=3.0,
    momentum={"smoke": 0.5, "laptop": 0.86, "paper": 0.95},
    smoothness=0.203,
    effort=2.0,
)
WIDE_CNN: Section = {
    "name": "strided_cnn",
    "channels": [128, 128, 512],
    "kernel": 3,
    "strides": [2, 2, 2],
    "pool": 3,
    "hidden": 256,
}
CIFAR10 = Levels(
    base={
        "smoke": SMOKE,
        "laptop": _central({"name": "cifar10", "train": 5000, "validation": 500}, MLP, epochs=32, batch=400),
        "paper": _central({"name": "cifar10", "validation": 5000}, WIDE_CNN, epochs=240, batch=400),
    },
    epsilon=2.0,
    momentum={"smoke": 0.5, "laptop": 0.68, "paper": 0.95},
    smoothness=0.351,
    effort=0.5,
)
FINITE = Levels(MNIST.base, MNIST.epsilon, MNIST.momentum, MNIST.smoothness, MNIST.effort, step=SHORT)


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of the matrices."""
    return (
        Claim(
            "A higher level never hurts the attacker, whatever the defender's level: the accuracy rises by at most "
            f"{SMALLEST_GAP}.",
            tuple(_never_hurts("attack")),
        ),
        Claim(
            "A higher level never hurts the defender, whatever the attacker's level: the accuracy falls by at most "
            f"{SMALLEST_GAP}.",
            tuple(_never_hurts("defense")),
        ),
        Claim(
            f"Most is gained by level 1: more than {MUCH:.2f} by the attacker over level 0 against a defender of level "
            "0, and by the defender against an attacker of level 1.",
            tuple(_gain(side, 0, 1, more_than=MUCH) for side in ("attack", "defense")),
        ),
        Claim(
            f"Level 4 gains little over level 3: at most {LITTLE:.2f} for either side, against the same opponents.",
            tuple(_loss(side, 3, 4, at_most=LITTLE) for side in ("attack", "defense")),
        ),
    )


def _cell(attack: int, defense: int) -> dict[str, str]:
    return {"defense": name_level("defense", defense), "attack": name_level("attack", attack)}


def _ordered(side: Side, lower: int, higher: int, *, other: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return the two cells in which a side has a lower and a higher level, the one that it prefers first."""
    if side == "attack":
        return _cell(lower, other), _cell(higher, other)
    return _cell(other, higher), _cell(other, lower)


def _never_hurts(side: Side) -> Iterator[Above]:
    for other in LEVELS:
        for lower, higher in pairwise(LEVELS):
            yield Above(*_ordered(side, lower, higher, other=other), margin=-SMALLEST_GAP)


OPPONENTS: Mapping[Side, int] = {"attack": 0, "defense": 1}
"""The level of the other side in claims about gains."""


def _gain(side: Side, lower: int, higher: int, *, more_than: float) -> Above:
    return Above(*_ordered(side, lower, higher, other=OPPONENTS[side]), margin=more_than)


def _loss(side: Side, lower: int, higher: int, *, at_most: float) -> Above:
    """Return the statement that the higher level gains no more than that."""
    better, worse = _ordered(side, lower, higher, other=OPPONENTS[side])
    return Above(worse, better, margin=-at_most)


SEARCH = (
    "Players above level 1 search by projected gradient descent (equations 9 and 10), in max(k, c/Γ) steps; the text's "
    "c Γ steps would be fewer at higher levels. M and c are the published ones."
)
INFINITE = "Steps are infinite, as published: each iterate is the unit direction of the gradient."
TIME = "Time per minibatch is in timing.json of each run: `python -m studies.level_times FOLDER`."
PICTURES = "The figures have no numbers in the text, except that on CIFAR-10 level 1 gains 28 points and level 4 one."


def _differences(levels: Levels, *own: str) -> Mapping[Scale, tuple[str, ...]]:
    data, training = levels.base["laptop"]["data"], levels.base["laptop"]["training"]
    size = (
        f"A perceptron on {data['train']} images, {data['validation']} validation images, {training['epochs']} epochs, "
        f"and so β = {levels.momentum['laptop']}; 3 runs in place of 5."
    )
    stated = (*own, SEARCH, TIME, PICTURES)
    return {"smoke": (*stated, "40 digits, one minibatch."), "laptop": (*stated, size), "paper": stated}


def _preset(name: str, title: str, source: str, *, levels: Levels, note: str) -> Preset:
    return Preset(
        id=name,
        title=title,
        source=source,
        metrics=("accuracy",),
        document=levels.document,
        differences=_differences(levels, note),
        published=lambda scale: (),
        claims=claims,
    )


R2T2_FIG7 = _preset(
    "r2t2-fig7", "CIFAR-10 under players of levels 0 to 4", "R2T2, figure 7(a, b)", levels=CIFAR10, note=INFINITE
)
R2T2_FIGA9 = _preset(
    "r2t2-figa9", "MNIST under players of levels 0 to 4", "R2T2, figure A.9", levels=MNIST, note=INFINITE
)
R2T2_FIGA9_FINITE = _preset(
    "r2t2-figa9-finite",
    "MNIST under players of levels 0 to 4, with short steps",
    "R2T2, figure A.9, with other steps",
    levels=FINITE,
    note="Every step has a third of the length ε, where published ones are infinite.",
)
