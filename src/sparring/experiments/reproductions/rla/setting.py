"""What the figures of Li et al. (2022) share: their federation, and how the learned attack is learned in it."""

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
from sparring.learning.sb3 import TD3Settings

KRUM, CLIPPING_MEDIAN = "Krum", "clipping median"
LEARNED = "RL"

BASES: Mapping[Scale, Section] = {
    "smoke": {
        "data": {"name": "digits", "root_size": 20},
        "model": {"name": "lenet"},
        # All clients take part in each round, so that even one attacker sees the models that it inverts.
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
"""Those that are made by hand."""
MALICIOUS: Mapping[Scale, int] = {"smoke": 4, "laptop": 20, "paper": 20}
SEEDS: Mapping[Scale, int] = {"smoke": 1, "laptop": 3, "paper": 5}

REHEARSING: Mapping[Scale, OnlineTraining] = {
    "smoke": OnlineTraining(
        acting=LocalSearchActions(scale=(0.1, 2), steps=(1, 2)),
        schedule=OnlineSchedule(learns_from=1, attacks_from=2, learns_until=3, pace=5, renewed=1, trials=1),
        settings=TD3Settings(hidden=(8,), batch=4, buffer=50, warmup=2),
        rounds=2,
        inverting=DistributionLearning(GradientInversion(images=4, iterations=2), batches=1),
        own=20,
        denoising=Denoising(steps=10, width=8),
    ),
    "laptop": OnlineTraining(
        acting=LocalSearchActions(),
        schedule=OnlineSchedule(learns_from=30, attacks_from=40, learns_until=80, pace=40, renewed=10, trials=2),
        settings=TD3Settings(hidden=(64, 64), buffer=2_000, warmup=500, pace=1, noise=0.3),
        rounds=60,
        inverting=DistributionLearning(GradientInversion(images=32), batches=8),
    ),
    "paper": OnlineTraining(
        acting=LocalSearchActions(lr=0.01, batch=200),
        schedule=OnlineSchedule(attacks_from=100, learns_until=400, pace=100, renewed=10, trials=1),
        settings=TD3Settings(hidden=(256, 128), buffer=40_000, pace=1, discount=1.0),
        rounds=1000,
        inverting=DistributionLearning(GradientInversion(images=32), batches=100),
    ),
}

PATIENT: Mapping[Scale, OnlineTraining] = {
    **REHEARSING,
    "laptop": replace(REHEARSING["laptop"], rounds=160, schedule=replace(REHEARSING["laptop"].schedule, trials=1)),
}
"""For Krum, which rarely chooses an update that does great harm: in 60 rounds a policy that only holds training up
gains more than one that waits for such a round, and in as many as are left, which are 160, it does not."""

ALWAYS = (
    "IPM is played with the factor 5 of the authors' code, and with 2; the paper states none. LMP has the b = 2 of its "
    "own paper, where the code has 5 under the clipping median.",
    "EB climbs for five steps at the clients' learning rate, without its stealth term; the paper states neither.",
    "Of the hand-made attacks' clients none shares data.",
    "The learned attack has the form of its authors' code: its search descends and what it submits goes the other way, "
    "and a policy sets two numbers, where the paper climbs and has three. Its search draws from the learned mixture, "
    "as in the paper, where the code takes all of the 200 true examples in each step.",
    "It learns with TD3 at lr 0.001, where the code has 1e-7, episodes start from the global model there is when "
    "learning in a world begins, the simulated loss counts no further than 3, and a policy is played only if it does "
    "as well on trial as those before it, the first of which answers with the middle of its ranges.",
)
KRUM_FORM = (
    "Krum assumes f = 2 of 10 and adds up squared distances to n - f - 2 others, as published. The code tells it the "
    "true f of each round, does not square, and takes n - f - 3 others: rla-fig3-krum and rla-fig4a-krum play these."
)
RANGES = (
    "The learned attack's ranges are those that the code has for the clipping median, under every rule: in those for "
    "Krum (at most 9.9 and 21) the worst still leaves Krum 0.2 to 0.4 at laptop scale."
)
SMOKE = (
    "Four rounds of lenet on digits, a fifth of the clients, one seed, and a learned attack that has hardly learned, "
    "in ranges of its own.",
)
LAPTOP = (
    RANGES,
    "The network has an eighth of the published width: 8, 16 and 16 channels.",
    "200 rounds of 32 examples at lr 0.05, for 1000 rounds of 128 at lr 0.01, which the paper and the code have.",
    "The learned attack begins in round 40 and learns until round 80, 40 simulated steps a round from round 30 on, "
    "a gradient step each, with 64 and 64 hidden units; of what its clients have seen 8 gradients are inverted.",
    "Its search draws 32 examples in each step; rewards are discounted by 0.99 a step, where the paper's are not, and "
    "the noise on actions is 0.3, where the code has 0.1.",
    "An episode has 60 rounds, under Krum the 160 that are left, and a policy is tried in two, under Krum in one.",
    "3 seeds; the figure shows one run.",
)
PAPER = (
    RANGES,
    "A step of its search draws 200 examples; the paper has a size for them, but at hand is none.",
    "The learned attack simulates 100 steps a round, in episodes of 1000 rounds, and inverts 100 gradients at most; "
    "the paper's appendix, which may say how many, is not at hand.",
    "5 seeds; the figure shows one run.",
)


def differences(*more: str) -> Mapping[Scale, tuple[str, ...]]:
    """Return in what a figure is another here than in the paper: always, in more respects of its own, and by scale."""
    by_scale: Mapping[Scale, tuple[str, ...]] = {"smoke": SMOKE, "laptop": LAPTOP, "paper": PAPER}
    return {scale: (*ALWAYS, *more, *own) for scale, own in by_scale.items()}


def learned(scale: Scale, policy: str) -> Section:
    """Return the learned attack, of which `policy` says what its file is called by."""
    begin = REHEARSING[scale].schedule.attacks_from
    return {"name": "learned", "policy": f"{{policies}}/{policy}.safetensors", "start": begin}


def rehearsing(scale: Scale, labels: Labels) -> OnlineTraining:
    """Return how the attack on a rule is learned."""
    return (PATIENT if labels["defense"] == KRUM else REHEARSING)[scale]


def without_inversion(rehearsing: OnlineTraining) -> OnlineTraining:
    """Return what attackers do who rehearse on their own examples alone (RL without distribution learning)."""
    return replace(rehearsing, inverting=None)


def without_labels(rehearsing: OnlineTraining) -> OnlineTraining:
    """Return what attackers do who know no label to begin with (RL0)."""
    return replace(rehearsing, is_labeled=False)
