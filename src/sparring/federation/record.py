"""The record of a round."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from statistics import median
from typing import Any

from sparring.arrays import briefly
from sparring.contracts import RoundPlan
from sparring.records import round_number


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

    @property
    def headline(self) -> dict[str, float]:
        """What is shown beside the accuracy while the training runs."""
        return {} if self.backdoor_accuracy is None else {"backdoor": self.backdoor_accuracy}

    @property
    def details(self) -> dict[str, float]:
        """Further scalars of the round: counts of clients per event, norms, and numbers of a server's plan."""
        return dict(self._details())

    def _details(self) -> Iterator[tuple[str, float]]:
        if self.step_norm is not None:
            yield "norms/step", self.step_norm
        if self.sampled:
            for event in ("malicious", "dropped", "clipped", "selected"):
                clients = getattr(self, event)
                if clients is not None:
                    yield f"clients/{event}", len(clients)
        norms = [norm for norm in self.norms if norm is not None]
        if norms:
            yield from {
                "norms/smallest": min(norms),
                "norms/median": median(norms),
                "norms/largest": max(norms),
            }.items()
        for player, options in (self.planned or {}).items():
            numbers = {name: value for name, value in (options or {}).items() if _is_number(value)}
            yield from ((f"planned/{player}/{name}", value) for name, value in numbers.items())


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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
