"""What is written down about a round."""

from dataclasses import dataclass

from sparring.arrays import briefly


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """One round as the server and the experimenter see it; clients are named by their ids, round 0 is the start.

    `norms` are those of the updates in the order of `sampled`, None where an update is not finite. `clipped` and
    `selected` are None for a rule that does neither; metrics are None where the round was not evaluated.
    """

    round: int
    sampled: tuple[int, ...] = ()
    malicious: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()
    clipped: tuple[int, ...] | None = None
    selected: tuple[int, ...] | None = None
    diverged: tuple[int, ...] | None = None
    """The malicious clients whose search left the finite numbers, and which sent its last finite point."""
    norms: tuple[float | None, ...] = ()
    step_norm: float | None = None
    """The norm of what the rule returned."""
    loss: float | None = None
    accuracy: float | None = None
    class_accuracy: tuple[float | None, ...] | None = None
    backdoor_accuracy: float | None = None
    """The share of triggered images, of those that the trigger is meant for, that are taken for the target."""
    backdoor_accuracy_with_target: float | None = None
    """The same share with images of the target class counted too, as published tables may do."""
    backdoor_accuracy_of_all: float | None = None
    """The share of all triggered images, whatever their class: without a backdoor about that of the target class."""

    __repr__ = briefly
