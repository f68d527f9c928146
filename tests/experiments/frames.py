"""Frames as a sweep leaves them, without a sweep."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sparring.experiments.analysis.frames import MEASURED

Place = tuple[str, str]
"""An attack and a defense."""


def made_frame(accuracies: Mapping[Place, Sequence[float]], *, average: float = 0.5) -> pd.DataFrame:
    """Return a frame of attacks and defenses, with an accuracy for each seed from 0 on."""
    rows = [
        {
            "attack": attack,
            "defense": defense,
            "seed": seed,
            "accuracy": accuracy,
            "average_accuracy": average,
            "loss": 1.0,
            "backdoor_accuracy": float("nan"),
            "rounds": 10,
            "run": f"{attack}-{defense}-{seed}",
        }
        for (attack, defense), values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=["attack", "defense", *MEASURED])
    for axis, labels in zip(("attack", "defense"), zip(*accuracies, strict=True), strict=True):
        frame[axis] = pd.Categorical(frame[axis], categories=list(dict.fromkeys(labels)), ordered=True)
    return frame
