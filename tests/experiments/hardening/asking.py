"""Small hardenings for tests."""

from pathlib import Path

from sparring.experiments.hardening.comparison import DefenseScores, EpisodeScore
from sparring.experiments.hardening.plan import HardeningPlan
from sparring.experiments.hardening.request import read_hardening
from sparring.experiments.hardening.run_hardening import Hardened
from sparring.experiments.hardening.verdict import judge_hardening
from sparring.learning.meta.actor_critic_reptile import ReptileActorCritic

SMALL = ReptileActorCritic(imitation=2, critic_updates=2, updates=1, batch=4, memory=50, trials=1)
"""A meta-learner that takes no time."""
TASK = {
    "data": {"name": "digits", "root_size": 20},
    "model": "logistic",
    "federation": {"clients": 6, "sampled": 3, "batch": 4},
    "harden": {"rounds": 2, "images": 20, "episodes": 2, "compared": 2},
}
TYPES = {
    "none": {},
    "ipm": {"attack": {"name": "ipm", "scale": 5.0, "share": 0.4}},
    "bfl": {"attack": {"name": "bfl", "share": 0.4, "trigger": {"name": "bars"}}},
}


def request(effort=200, types=None, **harden):
    """Return a request for a few rounds of training."""
    document = {**TASK, "harden": {**TASK["harden"], **harden}}
    return read_hardening(document, effort=effort, domain={"types": TYPES if types is None else types})


def table(over="mean", **scores):
    """Return a comparison in which a defense has these accuracies in the episodes of each type."""
    rows = {
        name: {kind: [EpisodeScore(value, None) for value in row] for kind, row in by_type.items()}
        for name, by_type in scores.items()
    }
    kinds = next(iter(rows.values()))
    return DefenseScores(rows, dict.fromkeys(kinds, 1.0), over)


def hardened(folder=Path("made")):
    """Return a finished hardening of two types."""
    scores = {
        "policy": {"none": [0.9, 0.92, 0.91], "lmp": [0.8, 0.82, 0.81]},
        "constant": {"none": [0.9, 0.91, 0.9], "lmp": [0.7, 0.72, 0.71]},
        "untrained": {"none": [0.8, 0.8, 0.8], "lmp": [0.3, 0.3, 0.3]},
        "median": {"none": [0.85, 0.86, 0.84], "lmp": [0.6, 0.61, 0.62]},
        "krum": {"none": [0.5], "lmp": [0.5]},
    }
    verdict = judge_hardening(table("worst", **scores), ["median", "krum"])
    return Hardened(folder / "d.safetensors", folder, HardeningPlan({"constant": 90, "policy": 70}), verdict)
