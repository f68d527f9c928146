"""The record of a round."""

from dataclasses import dataclass

from sparring.arrays import briefly


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """The measurements of one round; clients are given by their ids, and round 0 is the initial model.

    `norms` are those of the updates in the order of `sampled`, None for a non-finite update. `clipped` and `selected`
    are None for a rule that does neither; metrics are None if the round was not evaluated.
    """

    round: int
    sampled: tuple[int, ...] = ()
    malicious: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()
    clipped: tuple[int, ...] | None = None
    selected: tuple[int, ...] | None = None
    diverged: tuple[int, ...] | None = None
    """The malicious clients whose search diverged, so that they submitted its last finite point."""
    norms: tuple[float | None, ...] = ()
    step_norm: float | None = None
    """The norm of the rule's output."""
    loss: float | None = None
    accuracy: float | None = None
    class_accuracy: tuple[float | None, ...] | None = None
    backdoor_accuracy: float | None = None
    """Fraction of triggered images, of those that the trigger is meant for, that are classified as the target."""
    backdoor_accuracy_with_target: float | None = None
    """The same fraction including images of the target class, as in some published tables."""
    backdoor_accuracy_of_all: float | None = None
    """Fraction over all triggered images of any class; without a backdoor about the share of the target class."""

    __repr__ = briefly
