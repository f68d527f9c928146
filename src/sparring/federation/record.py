"""The record of a round."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from typing import Any

from sparring.arrays import briefly
from sparring.contracts import RoundPlan


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
    planned: Mapping[str, Any] | None = None
    """The rule and the repair of this round, with their options, if the server plans each round."""
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


def round_number(value: float) -> float | None:
    """Round to six digits, and replace non-finite values by None, so that records are small and valid JSON."""
    return float(f"{value:.6g}") if isfinite(value) else None


def describe_plan(plan: RoundPlan) -> dict[str, Any]:
    """Return a plan as JSON values: the names of the players' classes, and their options."""
    return {"rule": _describe(plan.rule), "repair": _describe(plan.repair)}


def _describe(value: object) -> Any:
    """Return a player or an option as JSON values; what has no such form is named by its type."""
    if is_dataclass(value):
        options = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        return {"name": type(value).__name__, **{name: _describe(option) for name, option in options.items()}}
    if isinstance(value, tuple | list):
        return [_describe(each) for each in value]
    if isinstance(value, float):
        return round_number(value)
    return value if value is None or isinstance(value, bool | int | str) else type(value).__name__
