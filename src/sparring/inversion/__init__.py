"""Inversion: triggers, images and labels reconstructed from a model or from the gradients that trained it."""

from sparring.inversion.gradient_inversion import (
    MARL,
    MSG,
    GradientInversion,
    Reconstruction,
    aggregated_gradient,
    invert,
    invert_each,
)
from sparring.inversion.label_inference import dealt_labels, label_shares, mean_answers
from sparring.inversion.trigger_reversal import (
    PenaltySchedule,
    ReversedTrigger,
    TriggerReversal,
    anomaly_index,
    reverse_triggers,
    suspicious,
    too_small,
)
from sparring.inversion.unlearning import Unlearning

__all__ = [
    "MARL",
    "MSG",
    "GradientInversion",
    "PenaltySchedule",
    "Reconstruction",
    "ReversedTrigger",
    "TriggerReversal",
    "Unlearning",
    "aggregated_gradient",
    "anomaly_index",
    "dealt_labels",
    "invert",
    "invert_each",
    "label_shares",
    "mean_answers",
    "reverse_triggers",
    "suspicious",
    "too_small",
]
