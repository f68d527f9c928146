"""Common settings of the figures of Li et al. (2022): the federation, and the training of the learned attack."""

from collections.abc import Mapping
from dataclasses import replace

from sparring.attacks import LocalSearchActions
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.online_training import OnlineTraining
from sparring.experiments.reproductions.preset import Scale
from sparring.inversion import GradientInversion
from sparring.learning.distribution import Denoising, DistributionLearning
from sparring.learning.online.schedule import OnlineSchedule
from sparring.learning.sb3 import SB3Learner, TD3Settings

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
"""The hand-crafted attacks."""
MALICIOUS: Mapping[Scale, int] = {"smoke": 4, "laptop": 20, "paper": 20}
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 5}

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
        acting=LocalSearchActions(),
        schedule=OnlineSchedule(learns_from=30, attacks_from=40, learns_until=80, pace=40, renewed=10, trials=2),
        learner=SB3Learner(TD3Settings(hidden=(64, 64), buffer=2_000, warmup=500, pace=1, noise=0.3)),
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

LONG_TRAININGS: Mapping[Scale, OnlineTraining] = {
    **TRAININGS,
    "laptop": replace(TRAININGS["laptop"], rounds=160, schedule=replace(TRAININGS["laptop"].schedule, trials=1)),
}
"""For Krum, which rarely chooses a very harmful update: in episodes of 60 rounds, a policy that only slows training
gains more than one that waits for such a round; in the remaining 160 rounds it does not."""

ALWAYS = (
    "IPM is run with the factor 5 of the authors' code, and with 2; the paper states none. LMP uses the b = 2 of its "
    "own paper; the code uses 5 under the clipping median.",
    "EB makes five ascent steps at the clients' learning rate, without its stealth term; the paper states neither.",
    "The clients of the hand-crafted attacks do not share data.",
    "The learned attack has the form of its authors' code: its search descends, it submits the reversed update, and a "
    "policy sets two numbers; in the paper it ascends and sets three. Its search draws from the learned mixture, as in "
    "the paper; the code uses all of the 200 true examples in each step.",
    "It is trained with TD3 at lr 0.001; the code uses 1e-7. Episodes start from the global model at the start of "
    "training in a world, the simulated loss is clipped to 3, and a policy is used only if it is at least as good in "
    "trials as the previous ones, the first of which always answers with the middle of its ranges.",
)
KRUM_FORM = (
    "Krum assumes f = 2 of 10 and sums the squared distances to n - f - 2 others, as published. The code passes it "
    "the true f of each round, does not square, and uses n - f - 3 others: rla-fig3-krum and rla-fig4a-krum run "
    "these forms."
)
RANGES = (
    "The learned attack uses the code's ranges for the clipping median under every rule: with the ranges for Krum "
    "(at most 9.9 and 21) the accuracy of Krum remains at 0.2 to 0.4 at laptop scale, even in the worst case."
)
SMOKE = (
    "Four rounds of lenet on digits, a fifth of the clients, one seed, and a barely trained attack with its own "
    "ranges.",
)
LAPTOP = (
    RANGES,
    "The network has an eighth of the published width: 8, 16 and 16 channels.",
    "200 rounds of 32 examples at lr 0.05, instead of 1000 rounds of 128 at lr 0.01 as in the paper and the code.",
    "The learned attack begins in round 40 and is trained from round 30 until round 80, with 40 simulated steps per "
    "round, one gradient step each, and with 64 and 64 hidden units; 8 of the gradients that its clients observe "
    "are inverted.",
    "Its search draws 32 examples in each step; rewards are discounted by 0.99 per step, but not in the paper; the "
    "noise on actions is 0.3, but 0.1 in the code.",
    "An episode has 60 rounds, under Krum the remaining 160, and a policy is evaluated in two, under Krum in one.",
    "3 seeds; the figure shows one run.",
)
PAPER = (
    RANGES,
    "A step of its search draws 200 examples; the size that the paper uses was not available.",
    "The learned attack simulates 100 steps per round, in episodes of 1000 rounds, and inverts at most 100 gradients; "
    "the paper's appendix, which may state these numbers, was not available.",
    "5 seeds; the figure shows one run.",
)


def differences(*more: str) -> Mapping[Scale, tuple[str, ...]]:
    """Return the differences from the paper by scale: the common ones, those of a figure, and those of the scale."""
    by_scale: Mapping[Scale, tuple[str, ...]] = {"smoke": SMOKE, "laptop": LAPTOP, "paper": PAPER}
    return {scale: (*ALWAYS, *more, *own) for scale, own in by_scale.items()}


def learned_section(scale: Scale, policy: str) -> Section:
    """Return the section of the learned attack; `policy` is the name of its file."""
    begin = TRAININGS[scale].schedule.attacks_from
    return {"name": "learned", "policy": f"{{policies}}/{policy}.safetensors", "start": begin}


def choose_training(scale: Scale, labels: Labels) -> OnlineTraining:
    """Return the training of the attack on a rule."""
    return (LONG_TRAININGS if labels["defense"] == KRUM else TRAININGS)[scale]


def without_inversion(training: OnlineTraining) -> OnlineTraining:
    """Return the training on the attackers' own examples only (RL without distribution learning)."""
    return replace(training, inverting=None)


def without_labels(training: OnlineTraining) -> OnlineTraining:
    """Return the training without initial labels (RL0)."""
    return replace(training, is_labeled=False)
