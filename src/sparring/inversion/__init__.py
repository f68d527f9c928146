"""What can be read out of a model, or out of the gradients that trained it: triggers, images and labels."""

from sparring.inversion.aggregated_gradient import aggregated_gradient
from sparring.inversion.anomaly import anomaly_index, too_small
from sparring.inversion.gradient_inversion import MARL, MSG, GradientInversion, Reconstruction, invert, invert_each
from sparring.inversion.label_inference import dealt_labels, label_shares, mean_answers
from sparring.inversion.penalties import Schedule
from sparring.inversion.trigger_reversal import ReversedTrigger, TriggerReversal, reverse_triggers, suspicious
from sparring.inversion.unlearning import Unlearning

__all__ = [
    "MARL",
    "MSG",
    "GradientInversion",
    "Reconstruction",
    "ReversedTrigger",
    "Schedule",
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
