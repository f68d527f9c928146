"""Common settings of the figures of Li et al. (2022): the federation, and the training of the learned attack."""

from collections.abc import Mapping
from dataclasses import replace

from sparring.attacks import LocalSearchActions, PortfolioActions
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.online_training import OnlineTraining
from sparring.experiments.reproductions.preset import Scale
from sparring.inversion import GradientInversion
from sparring.learning.distribution import Denoising, DistributionLearning
from sparring.learning.online.schedule import OnlineSchedule
from sparring.learning.sb3 import SB3Learner, TD3Settings
from sparring.learning.search import CountTable, CrossEntropySearch

KRUM, CLIPPING_MEDIAN = "Krum", "clipping median"
LEARNED = "RL"

BASES: Mapping[Scale, Section] = {
    "smoke": {
        "data": {"name": "digits", "root_size": 20},
        "model": {"name": "lenet"},
        # All clients are sampled in each round, so that even a single attacker observes the models that it inverts.
        "federation": {"clients": 20, "sampled": 20, "rounds": 4, "batch": 2, "lr": 0.05},
        "evaluation": {"every": 2},
    },
    "laptop": {
        "data": {"name": "mnist"},
        "model": {"name": "cnn", "width": 8},
        "federation": {"clients": 100, "sampled": 10, "rounds": 200, "batch": 32, "lr": 0.05},
        "evaluation": {"every": 10},
    },
    "paper": {
        "data": {"name": "mnist"},
        "model": {"name": "cnn", "width": 64},
        "federation": {"clients": 100, "sampled": 10, "rounds": 1000, "batch": 128, "lr": 0.01},
        "evaluation": {"every": 10},
    },
}
ATTACKS: Mapping[str, Section] = {
    "EB": {"name": "eb"},
    "IPM 5": {"name": "ipm", "scale": 5.0},
    "IPM 2": {"name": "ipm", "scale": 2.0},
    "LMP": {"name": "lmp"},
}
"""The hand-crafted attacks, which begin with the first round."""
LATE: Mapping[str, str] = {f"late {name}": name for name in ATTACKS}
"""The same attacks, when they begin in the round in which the learned attack does."""
MALICIOUS: Mapping[Scale, int] = {"smoke": 4, "laptop": 20, "paper": 20}
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 5, "paper": 5}

PORTFOLIO = PortfolioActions(scale=(0.1, 300.0), steps=(1, 20), directions=("local_search", "reverse"))
SEARCH = CrossEntropySearch(
    CountTable(10, counts=(1, 2, 3, 4, 5, 7), base=True, varied=(0,)),
    candidates=12,
    elites=3,
    episodes=1,
    kept=3,
    trials=2,
    deviation=0.5,
    start=(0.0, 0.0, 0.5, 0.5, -0.3, *6 * (0.0,)),
)
"""A search over tables of γ by the number of malicious clients in a round, with common weights of the directions. It
begins near γ = 5, E = 4, with equal weights."""

TRAININGS: Mapping[Scale, OnlineTraining] = {
    "smoke": OnlineTraining(
        acting=LocalSearchActions(scale=(0.1, 2), steps=(1, 2)),
        schedule=OnlineSchedule(learns_from=1, attacks_from=2, learns_until=3, pace=5, renewed=1, trials=1),
        learner=SB3Learner(TD3Settings(hidden=(8,), batch=4, buffer=50, warmup=2)),
        rounds=2,
        inverting=DistributionLearning(GradientInversion(images=4, iterations=2), batches=1),
        own=20,
        denoising=Denoising(steps=10, width=8),
    ),
    "laptop": OnlineTraining(
        acting=PORTFOLIO,
        schedule=OnlineSchedule(learns_from=20, attacks_from=40, learns_until=60, pace=150, renewed=20, trials=2),
        learner=SEARCH,
        reward="error",
        rounds=60,
        inverting=DistributionLearning(GradientInversion(images=32), batches=8),
    ),
    "paper": OnlineTraining(
        acting=LocalSearchActions(lr=0.01, batch=200),
        schedule=OnlineSchedule(attacks_from=100, learns_until=400, pace=100, renewed=10, trials=1),
        learner=SB3Learner(TD3Settings(hidden=(256, 128), buffer=40_000, pace=1, discount=1.0)),
        rounds=1000,
        inverting=DistributionLearning(GradientInversion(images=32), batches=100),
    ),
}

RANGES = (
    "The learned attack uses the code's ranges for the clipping median under every rule: with the ranges for Krum "
    "(at most 9.9 and 21) the accuracy of Krum remains at 0.2 to 0.4 at laptop scale, even in the worst case."
)
ALWAYS = (
    "IPM is run with the factor 5 of the authors' code, and with 2; the paper states none. LMP uses the b = 2 of its "
    "own paper; the code uses 5 under the clipping median.",
    "EB makes five ascent steps at the clients' learning rate, without its stealth term; the paper states neither.",
    "The clients of the hand-crafted attacks do not share data.",
    "The local search of the learned attack has the form of its authors' code: it descends, and the reversed update is "
    "submitted; in the paper it ascends. It draws from the learned mixture, as in the paper; the code uses all of the "
    "200 true examples in each step.",
    "Episodes start from the global model at the start of training in a world, and a policy is used only if it is at "
    "least as good in trials as the previous ones, the first of which always answers with the middle of its ranges.",
)
TD3 = (
    "A policy sets the two numbers of the code, where the paper has three. It is trained with TD3 at lr 0.001; the "
    "code uses 1e-7. The reward is the rise of the loss, clipped to 3.",
    RANGES,
)
KRUM_FORM = (
    "Krum assumes f = 2 of 10 and sums the squared distances to n - f - 2 others, as published. The code passes it "
    "the true f of each round, does not square, and uses n - f - 3 others: rla-fig3-krum and rla-fig4a-krum run "
    "these forms."
)
FROM_SEED_0 = "Each learned attack is trained in one federation, that of seed 0, and used in all."
SMOKE = (
    *TD3,
    "Four rounds of lenet on digits, a fifth of the clients, one seed, and a barely trained attack with its own "
    "ranges.",
)
LAPTOP = (
    "The learned attack submits a portfolio: a local search of E steps and the reversed mean of the attackers' own "
    "updates, mixed, with the length γ in units of their own updates' norm. γ runs from 0.1 to 300 and E from 1 to 20, "
    "in equal factors.",
    "Its policy is a table: γ for each range of the number of malicious clients in the round, and common weights and "
    "E. It is found by cross-entropy search, not trained by TD3.",
    "The reward is the share of misclassified examples after each round, and not the rise of the loss.",
    "The network has an eighth of the published width: 8, 16 and 16 channels.",
    "200 rounds of 32 examples at lr 0.05, instead of 1000 rounds of 128 at lr 0.01 as in the paper and the code.",
    "The learned attack begins in round 40 and is trained from round 20 until round 60, with 150 simulated steps per "
    "round in episodes of 60 rounds; 8 of the gradients that its clients observe are inverted.",
    "The local search draws 32 examples in each step.",
    "5 seeds; the figure shows one run.",
)
PAPER = (
    *TD3,
    "A step of its search draws 200 examples; the size that the paper uses was not available.",
    "The learned attack simulates 100 steps per round, in episodes of 1000 rounds, and inverts at most 100 gradients; "
    "the paper's appendix, which may state these numbers, was not available.",
    "5 seeds; the figure shows one run.",
)


def differences(*more: str) -> Mapping[Scale, tuple[str, ...]]:
    """Return the differences from the paper by scale: the common ones, those of a figure, and those of the scale."""
    by_scale: Mapping[Scale, tuple[str, ...]] = {"smoke": SMOKE, "laptop": LAPTOP, "paper": PAPER}
    return {scale: (*ALWAYS, *more, *own) for scale, own in by_scale.items()}


def late_sections(scale: Scale) -> Mapping[str, Section]:
    """Return the hand-crafted attacks that begin in the round in which the learned attack does."""
    begin = TRAININGS[scale].schedule.attacks_from
    return {late: {**ATTACKS[name], "start": begin} for late, name in LATE.items()}


def learned_section(scale: Scale, policy: str) -> Section:
    """Return the section of the learned attack; `policy` is the name of its file."""
    begin = TRAININGS[scale].schedule.attacks_from
    return {"name": "learned", "policy": f"{{policies}}/{policy}.safetensors", "start": begin}


def choose_training(scale: Scale, labels: Labels) -> OnlineTraining:
    """Return the training of an attack: the same for all rules."""
    return TRAININGS[scale]


def without_inversion(training: OnlineTraining) -> OnlineTraining:
    """Return the training on the attackers' own examples only (RL without distribution learning)."""
    return replace(training, inverting=None)


def without_labels(training: OnlineTraining) -> OnlineTraining:
    """Return the training without initial labels (RL0)."""
    return replace(training, is_labeled=False)
