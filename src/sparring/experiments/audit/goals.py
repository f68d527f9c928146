"""The goals of an audit's attackers: how policies are trained for one, and by which metric attacks are compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from sparring.arrays import Batch
from sparring.attacks import PoisonedSearchActions
from sparring.attacks.learned.acting import ActionDecoder
from sparring.experiments.analysis.frames import BACKDOOR_SCORE
from sparring.experiments.audit.contenders import CONTENDERS, RUNGS, SCALE, STEPS, Contender, Rung
from sparring.experiments.audit.team_contenders import TEAM_CONTENDERS, TeamContender
from sparring.federation import Scenario
from sparring.federation.evaluation import trigger_images
from sparring.games.federated import BackdoorAccuracyObjective, ErrorObjective, SeatObjective
from sparring.learning.distribution.observed_training import held_examples

GoalName = Literal["untargeted", "backdoor", "team"]


class Goal(NamedTuple):
    """What the attackers of an audit want."""

    name: GoalName
    metric: str
    """The metric in which attacks are compared."""
    broken: str
    """The metric that tells whether an attack with some number of clients breaks the rule."""
    is_raised: bool
    """Whether a stronger attack has a higher value of both metrics, or a lower one."""
    contenders: Mapping[str, Contender] | Mapping[str, TeamContender]
    """The policy searches that share the budget, by name."""
    rungs: Sequence[Rung]
    objective: Callable[[Scenario], SeatObjective]
    """Returns the value of a model to the attackers of a scenario, on their own examples."""
    is_deployed: bool = False
    """Whether that is the model after the post-training defense, which is made against backdoors."""

    def __repr__(self) -> str:
        return f"Goal({self.name!r})"

    def strength(self, value: float) -> float:
        """Return a number that is larger for a stronger attack."""
        return value if self.is_raised else -value

    def breaks(self, value: float, *, clean: float) -> bool:
        """Say whether an attack breaks a rule: half of the clean accuracy is lost, or half of the images are hit."""
        return value >= 0.5 if self.is_raised else value <= clean / 2


def measure_error(scenario: Scenario) -> SeatObjective:
    """Return the share of the attackers' own examples that is misclassified."""
    return ErrorObjective(held_examples(scenario))


def measure_backdoor(scenario: Scenario) -> SeatObjective:
    """Return half the accuracy of the scenario's backdoor, on the attackers' own examples, plus half the clean one."""
    backdoor, clean = scenario.backdoors[0], held_examples(scenario)
    meant = backdoor.meant(clean.labels)
    return BackdoorAccuracyObjective(
        trigger_images(backdoor, Batch(clean.inputs[meant], clean.labels[meant])), clean, weight=0.5
    )


def fit_actions(acting: ActionDecoder, scenario: Scenario) -> ActionDecoder:
    """Return an action space whose attacks implant the scenario's backdoor, if they implant one."""
    if not isinstance(acting, PoisonedSearchActions):
        return acting
    backdoor = scenario.backdoors[0]
    own = {name: getattr(backdoor, name) for name in ("trigger", "target", "source", "classes")}
    return replace(acting, **own)


POISONED: Mapping[str, Contender] = {
    # Poisoned training as in the catalogue, somewhat boosted: γ = 1.6, E = 7, ρ = .5.
    "poisoned_search": Contender(PoisonedSearchActions(SCALE, STEPS), (-0.2, 0.0, 0.0)),
    "poisoned_relative": Contender(PoisonedSearchActions(SCALE, STEPS, relative=True), (-0.2, 0.0, 0.0)),
}
"""The contenders for a backdoor: γ, E and ρ of a search on poisoned data, its length absolute or relative."""

UNTARGETED = Goal("untargeted", "accuracy", "accuracy", False, CONTENDERS, RUNGS, measure_error)
BACKDOOR = Goal(
    "backdoor",
    BACKDOOR_SCORE,
    "backdoor_accuracy",
    True,
    POISONED,
    (Rung(2, 2), Rung(1, 2, is_last=True)),
    measure_backdoor,
    is_deployed=True,
)
TEAM = Goal("team", "accuracy", "accuracy", False, TEAM_CONTENDERS, (Rung(4, 1), Rung(2, 2), Rung(1, 2)), measure_error)
"""The untargeted goal of a team, whose members act by their ranks."""
GOALS: Mapping[str, Goal] = {goal.name: goal for goal in (UNTARGETED, BACKDOOR, TEAM)}
