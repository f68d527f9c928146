"""A federation of small digits, in which an attack is learned in a moment."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sparring.attacks import LocalSearchActions
from sparring.experiments.config.sections import Section
from sparring.experiments.reproductions.online_training import OnlineTraining, TrainingPart, training_parts
from sparring.experiments.sweeps import plan_sweep
from sparring.inversion import GradientInversion
from sparring.learning.distribution import Denoising, DistributionLearning
from sparring.learning.online.schedule import OnlineSchedule
from sparring.learning.sb3 import SB3Learner, TD3Settings

BASE: Section = {
    "data": {"name": "digits", "root_size": 20},
    "model": {"name": "mlp", "hidden": 4},
    "federation": {"clients": 8, "sampled": 4, "rounds": 5, "batch": 4},
    "defense": {"name": "median"},
    "evaluation": {"every": 5},
}
RULES = ("mean", "median")
QUICK = OnlineTraining(
    acting=LocalSearchActions(scale=(0.1, 2), steps=(1, 2)),
    schedule=OnlineSchedule(learns_from=1, attacks_from=3, learns_until=5, pace=5, renewed=1, trials=1),
    learner=SB3Learner(TD3Settings(hidden=(4,), batch=4, buffer=50, warmup=2)),
    rounds=2,
    own=20,
)
INVERTING = replace(
    QUICK,
    inverting=DistributionLearning(GradientInversion(images=4, iterations=1), batches=2),
    is_labeled=False,
    denoising=Denoising(steps=3, width=4),
)
STEPS = [5, 10, 15, 20]
"""Those after which there is a newer policy."""


def played(folder: Path) -> Section:
    """Return the section of the attack whose policies are in a folder."""
    return {"name": "learned", "policy": f"{folder}/{{defense}}-{{seed}}.safetensors", "malicious": 4, "start": 3}


def document(folder: Path) -> Section:
    """Return a sweep of four runs; in two of them the attack is played, under a rule each."""
    axes = {"defense": [{"name": rule} for rule in RULES], "attack": [{"name": "none"}, played(folder)], "seed": [0]}
    return {"base": BASE, "axes": axes}


def due(folder: Path, training: OnlineTraining = QUICK) -> dict[str, TrainingPart]:
    """Return the attacks that the sweep plays and that are not learned yet."""

    def how(labels: Mapping[str, str]) -> OnlineTraining:
        return training

    return training_parts(plan_sweep(document(folder)).cells, how)
