"""What can be read out of a model or an update: triggers, so far."""

from sparring.inversion.anomaly import anomaly_index, too_small
from sparring.inversion.penalties import Schedule
from sparring.inversion.trigger_reversal import ReversedTrigger, TriggerReversal, reverse_triggers, suspicious
from sparring.inversion.unlearning import Unlearning

__all__ = [
    "ReversedTrigger",
    "Schedule",
    "TriggerReversal",
    "Unlearning",
    "anomaly_index",
    "reverse_triggers",
    "suspicious",
    "too_small",
]
