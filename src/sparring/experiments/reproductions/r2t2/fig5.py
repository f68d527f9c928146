"""Figure 5 of R2T2: defenses under the level-1 attack, their bound, and the size of the validation set."""

from collections.abc import Mapping

from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.preset import Preset, Published, Scale
from sparring.experiments.reproductions.r2t2.fig4 import NO_AXIS, name_epsilon
from sparring.experiments.reproductions.r2t2.setting import (
    LEVEL_0,
    LEVEL_1,
    MNIST,
    SOURCE,
    VALIDATION,
    LearnerSetting,
    cell,
    list_levels,
    make_sweep,
    publish,
)
from sparring.experiments.reproductions.r2t2.table2 import ON_MNIST

VAE, CVAE, GAN = "defense-VAE", "defense-CVAE", "defense-GAN"
DDPM_NUMBER = 0.279
"""The accuracy with DDPM: more than with most generative models, and less than with the CVAE."""
CONTROL_NUMBER = (91.2, None)
"""The accuracy of training on the validation set alone, with CutMix."""
EPSILONS = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
SLIGHT = 0.05
"""What too large an ε of the defender costs at most; the figure has no numbers."""
SIZES: Mapping[Scale, tuple[int, ...]] = {"smoke": (10, 20), "laptop": (50, 200, 1000), "paper": (100, 500, 5000)}


def generative(setting: LearnerSetting, scale: Scale, name: str) -> Section:
    """Return the defense that denoises by a generative model."""
    quick = {"epochs": 1} if scale == "smoke" else {}
    search = {"starts": 4, "steps": 3} if name == "gan" and scale != "paper" else {}
    bound = {"epsilon": setting.epsilon} if name == "ddpm" else {}
    return {
        "name": "generative",
        "epsilon": setting.epsilon,
        "denoiser": {"name": name, **bound, **quick, **search},
    }


def level_1_attack(setting: LearnerSetting, scale: Scale) -> dict[str, Section]:
    """Return the axis of the level-1 attack alone."""
    return {LEVEL_1: {"attack": setting.attack(scale)}}


def document(scale: Scale) -> Section:
    """Return the sweep of panel a."""
    models = {VAE: "vae", CVAE: "cvae", GAN: "gan"}
    levels = list_levels(MNIST)
    defenses = {
        LEVEL_0: levels[LEVEL_0],
        **{label: {"defense": generative(MNIST, scale, name)} for label, name in models.items()},
        VALIDATION: {"defense": {"name": "validation_training"}},
        LEVEL_1: levels[LEVEL_1],
    }
    return make_sweep(MNIST, scale, defenses=defenses, attacks=level_1_attack(MNIST, scale))


def claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of panel a, and the control."""
    return (
        Claim(
            "Under the level-1 attack the level-1 defender keeps more than each generative model.",
            tuple(Above(cell(LEVEL_1, LEVEL_1), cell(LEVEL_1, label)) for label in (VAE, CVAE, GAN)),
        ),
        Claim(
            "Among the generative models the one that sees the labels, defense-CVAE, keeps most.",
            tuple(Above(cell(LEVEL_1, CVAE), cell(LEVEL_1, label)) for label in (VAE, GAN)),
        ),
        Claim(
            "The level-1 defender makes use of the perturbed images: it keeps more than training on the validation "
            "images alone.",
            (Above(cell(LEVEL_1, LEVEL_1), cell(LEVEL_1, VALIDATION)),),
        ),
    )


def published(scale: Scale) -> tuple[Published, ...]:
    """Return the numbers of the text and of table 2; the figure has none."""
    without, defended = ON_MNIST[LEVEL_1]
    cells = ((LEVEL_0, without), (LEVEL_1, defended), (VALIDATION, CONTROL_NUMBER))
    return (
        *publish((cell(LEVEL_1, defense), numbers) for defense, numbers in cells),
        Published(cell(LEVEL_1, CVAE), DDPM_NUMBER, ">"),
    )


def epsilon_document(scale: Scale) -> Section:
    """Return the sweep of panel b: the level-1 defender with several ε."""
    defenses = {name_epsilon(epsilon): {"defense": MNIST.level(1, epsilon=epsilon)} for epsilon in EPSILONS}
    return make_sweep(MNIST, scale, defenses=defenses, attacks=level_1_attack(MNIST, scale))


def epsilon_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of panel b."""
    usual = cell(LEVEL_1, name_epsilon(MNIST.epsilon))
    return (
        Claim(
            "The defender's ε must be of the attacker's size: ε = 0.5 and ε = 1 keep less than ε = 3.",
            tuple(Above(usual, cell(LEVEL_1, name_epsilon(epsilon))) for epsilon in EPSILONS if epsilon <= 1),
        ),
        Claim(
            f"Beyond, it overfits slightly to the validation set: larger ε cost at most {SLIGHT:.2f}.",
            tuple(
                Above(cell(LEVEL_1, name_epsilon(epsilon)), usual, margin=-SLIGHT)
                for epsilon in EPSILONS
                if epsilon > MNIST.epsilon
            ),
        ),
    )


def epsilon_published(scale: Scale) -> tuple[Published, ...]:
    """Return the accuracy at the published ε, which is that of table 2."""
    return publish([(cell(LEVEL_1, name_epsilon(MNIST.epsilon)), ON_MNIST[LEVEL_1][1])])


def size_document(scale: Scale) -> Section:
    """Return the sweep of panel c: several sizes of the validation set, with the control."""
    defenses = {VALIDATION: {"defense": {"name": "validation_training"}}, **list_levels(MNIST)}
    sizes = {str(size): {"data.validation": size} for size in SIZES[scale]}
    attacks = level_1_attack(MNIST, scale)
    return make_sweep(MNIST, scale, defenses=defenses, attacks=attacks, others={"validation": sizes})


def size_claims(scale: Scale) -> tuple[Claim, ...]:
    """Return what the text says of panel c, and the control."""
    fewest, *_, most = map(str, SIZES[scale])
    return (
        Claim(
            "With a much smaller validation set the level-1 defender overfits to it: it keeps less.",
            (Above(cell(LEVEL_1, LEVEL_1, validation=most), cell(LEVEL_1, LEVEL_1, validation=fewest)),),
        ),
        Claim(
            "With each size it keeps more than training on the validation images alone.",
            tuple(
                Above(
                    cell(LEVEL_1, LEVEL_1, validation=str(size)),
                    cell(LEVEL_1, VALIDATION, validation=str(size)),
                )
                for size in SIZES[scale]
            ),
        ),
    )


def size_published(scale: Scale) -> tuple[Published, ...]:
    """Return the accuracies with the largest size, which are those of table 2 and of the text."""
    most = str(SIZES[scale][-1])
    numbers = zip((LEVEL_0, LEVEL_1, VALIDATION), (*ON_MNIST[LEVEL_1], CONTROL_NUMBER), strict=True)
    return publish((cell(LEVEL_1, defense, validation=most), each) for defense, each in numbers)


CONTROL = (
    f"The paper's figure does not have the control, {VALIDATION!r}; its number, which is published with CutMix, is "
    "here without it.",
)
TUNED = "The generative models have the settings of their defaults; the paper tuned its GAN by hand."
SEARCH = (
    "The GAN's search for the nearest image has 4 codes and 3 steps, where its authors have 10 searches of 200 steps."
)
NO_SIZES = "The text does not state the sizes of the validation set; both players have it."

R2T2_FIG5 = Preset(
    id="r2t2-fig5",
    title="MNIST under the level-1 attack: level 1 and generative defenses",
    source=f"{SOURCE}, figure 5(a)",
    metrics=("accuracy",),
    document=document,
    differences={
        "smoke": (*MNIST.differences["smoke"], *CONTROL, TUNED),
        "laptop": (*MNIST.differences["laptop"], *CONTROL, TUNED, SEARCH),
        "paper": (*MNIST.differences["paper"], *CONTROL, TUNED),
    },
    published=published,
    claims=claims,
)
R2T2_FIG5_EPSILON = Preset(
    id="r2t2-fig5-epsilon",
    title="MNIST under the level-1 attack: the defender's bound",
    source=f"{SOURCE}, figure 5(b)",
    metrics=("accuracy",),
    document=epsilon_document,
    differences={scale: (*told, NO_AXIS) for scale, told in MNIST.differences.items()},
    published=epsilon_published,
    claims=epsilon_claims,
)
R2T2_FIG5_VALIDATION = Preset(
    id="r2t2-fig5-validation",
    title="MNIST under the level-1 attack: the size of the validation set",
    source=f"{SOURCE}, figure 5(c)",
    metrics=("accuracy",),
    document=size_document,
    differences={scale: (*told, *CONTROL, NO_SIZES) for scale, told in MNIST.differences.items()},
    published=size_published,
    claims=size_claims,
)
