"""Figure 4 of R2T2: learning curves of the attacks, and the level-1 attack with smaller and larger ε."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Scale
from sparring.experiments.reproductions.r2t2.setting import (
    BASELINES,
    BLACK_BOX,
    DC,
    FEWER_TRIALS,
    LEVEL_0,
    LEVEL_1,
    MNIST,
    PAPER_SIZE,
    SOURCE,
    cell,
    list_attacks,
    list_levels,
    make_sweep,
    publish,
)
from sparring.experiments.reproductions.r2t2.table2 import ON_MNIST

EPOCHS: Mapping[Scale, tuple[int, ...]] = {"smoke": (1, 2), "laptop": (13, 80), "paper": (20, 50, 120)}
"""Early, while DC is ahead in the paper, and the end; at paper scale also where it is no longer ahead."""
EPSILONS: Mapping[Scale, tuple[float, ...]] = {
    "smoke": (0.5, 3.0, 8.0),
    "laptop": (0.5, 1.0, 2.0, 3.0, 5.0, 8.0),
    "paper": (0.5, 1.0, 2.0, 3.0, 5.0, 8.0),
}
LARGE = 8.0
MUCH = 0.3
"""How much less the attack takes with a small ε; the figure has no numbers."""


def document(scale: Scale) -> Section:
    """Return the sweep of panel a: all attacks against no defense, for several lengths of the same training."""
    known = list_attacks(MNIST, scale)
    attacks = {label: known[label] for label in known if label != BLACK_BOX}
    none = {LEVEL_0: list_levels(MNIST)[LEVEL_0]}
    epochs = {str(count): {"training.epochs": count} for count in EPOCHS[scale]}
    return make_sweep(MNIST, scale, defenses=none, attacks=attacks, others={"epochs": epochs})


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of the learning curves."""
    early, *_, late = map(str, EPOCHS[scale])
    return (
        Claim(
            f"DC is ahead of the level-1 attack at first, since it is trained beforehand: after {early} epochs less is "
            "left under it.",
            (Above(cell(LEVEL_1, LEVEL_0, epochs=early), cell(DC, LEVEL_0, epochs=early)),),
        ),
        Claim(
            "At the end, accuracy is lower under the level-1 attack than under every baseline.",
            tuple(
                Above(cell(attack, LEVEL_0, epochs=late), cell(LEVEL_1, LEVEL_0, epochs=late)) for attack in BASELINES
            ),
        ),
    )


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the accuracies at the end, which are those of table 2."""
    *_, late = map(str, EPOCHS[scale])
    return publish(
        (cell(attack, LEVEL_0, epochs=late), without)
        for attack, (without, _) in ON_MNIST.items()
        if attack != BLACK_BOX
    )


def name_epsilon(epsilon: float) -> str:
    """Return the label of a level-1 player with this ε."""
    return f"{LEVEL_1}, ε = {epsilon:g}"


def epsilon_document(scale: Scale) -> Section:
    """Return the sweep of panels b and c: the level-1 attack with several ε against levels 0 and 1."""
    attack = MNIST.attack(scale)
    attacks = {name_epsilon(epsilon): {"attack": {**attack, "epsilon": epsilon}} for epsilon in EPSILONS[scale]}
    return make_sweep(MNIST, scale, defenses=list_levels(MNIST), attacks=attacks)


def epsilon_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of panels b and c."""
    low, usual, high = map(name_epsilon, (EPSILONS[scale][0], MNIST.epsilon, LARGE))
    return (
        Claim(
            f"A small ε is no effective attack: without a defense ε = {EPSILONS[scale][0]:g} leaves at least "
            f"{MUCH:.2f} more than ε = {MNIST.epsilon:g}.",
            (Above(cell(low, LEVEL_0), cell(usual, LEVEL_0), margin=MUCH),),
        ),
        Claim(
            "Against the level-1 defender a larger ε is needed for the same effect: from ε = 1 on, each leaves more "
            "than without a defense.",
            tuple(
                Above(cell(name_epsilon(epsilon), LEVEL_1), cell(name_epsilon(epsilon), LEVEL_0))
                for epsilon in EPSILONS[scale]
                if 1 <= epsilon <= MNIST.epsilon
            ),
        ),
        Claim(
            f"A larger ε has an effect: accuracy is lower with ε = {LARGE:g} than with ε = {MNIST.epsilon:g}.",
            (Above(cell(usual, LEVEL_1), cell(high, LEVEL_1)),),
        ),
    )


def epsilon_published(scale: Scale) -> tuple[Published, ...]:
    """Return the accuracies at the published ε, which are those of table 2."""
    usual = name_epsilon(MNIST.epsilon)
    return publish(zip((cell(usual, LEVEL_0), cell(usual, LEVEL_1)), ON_MNIST[LEVEL_1], strict=True))


LENGTHS = "A training of fewer epochs is the beginning of a longer one, so each length is one point of the curves."
NO_AXIS = "The text does not state the values of ε; its figure was not available as numbers."

R2T2_FIG4 = Preset(
    id="r2t2-fig4",
    title="MNIST under perturbed minibatches: learning curves",
    source=f"{SOURCE}, figure 4(a)",
    metrics=("accuracy",),
    document=document,
    differences={
        "smoke": (*MNIST.differences["smoke"], LENGTHS),
        "laptop": (*MNIST.differences["laptop"], LENGTHS, FEWER_TRIALS),
        "paper": (*MNIST.differences["paper"], LENGTHS, PAPER_SIZE),
    },
    published=published,
    claims=claims,
)
R2T2_FIG4_EPSILON = Preset(
    id="r2t2-fig4-epsilon",
    title="MNIST under the level-1 attack with several bounds",
    source=f"{SOURCE}, figure 4(b, c)",
    metrics=("accuracy",),
    document=epsilon_document,
    differences={scale: (*told, NO_AXIS) for scale, told in MNIST.differences.items()},
    published=epsilon_published,
    claims=epsilon_claims,
)
