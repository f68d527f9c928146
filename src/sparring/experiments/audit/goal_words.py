"""The words of a report for each goal of an audit."""

from collections.abc import Mapping
from typing import NamedTuple

from sparring.experiments.analysis.statistics import Reading
from sparring.experiments.audit.goals import BACKDOOR, TEAM, UNTARGETED, GoalName


class GoalWords(NamedTuple):
    """What a report says where the goals differ."""

    stronger: str
    """What a stronger attack does, after `the learned attack`."""
    gaps: Mapping[Reading, str]
    metric: str
    """What attacks are ranked by."""
    extreme: str
    """The value of the strongest attack."""
    elsewhere: str
    """What an attack may do that is trained against another rule."""
    breaks: str
    """What the smallest number of clients does, in the infinitive."""
    also: str
    not_also: str
    """The same of the learned attack, in the third person and in the infinitive."""
    broken: str
    """The metric of the breaking point."""
    measured: str
    """What the verdict's table shows."""
    gap: str
    """What the gap is."""
    value: str
    """The value of the objective at the end of an episode."""
    chosen: str
    """The value by which a policy is chosen."""


_SINGLE: Mapping[GoalName, GoalWords] = {
    UNTARGETED.name: GoalWords(
        stronger="lowers the accuracy more",
        gaps={
            "more": "The learned attack is stronger: it lowers the accuracy more than the worst hand-crafted one, and "
            "hand-crafted attacks overestimate this rule.",
            "less": "The learned attack is weaker: it lowers the accuracy less than the worst hand-crafted one. The "
            "accuracy under {crafted} is the better estimate of what this rule is worth; a larger --budget may find a "
            "stronger policy.",
            "no difference that counts": "The learned attack is as strong as the worst hand-crafted one: they do not "
            "differ by an amount that counts, since the whole interval of the gap lies within ±{gap:g}.",
            "undecided": "It is undecided whether the learned attack lowers the accuracy more or less: the interval of "
            "the gap extends beyond {gap:g} on both sides of zero. More --seeds make it narrower.",
        },
        metric="accuracy",
        extreme="lowest mean accuracy",
        elsewhere="lower the accuracy of that rule more",
        breaks="halve the accuracy",
        also="halves it",
        not_also="halve it",
        broken="remaining accuracy",
        measured="Accuracy after the last round",
        gap="the gap is how much higher the accuracy is under the worst hand-crafted attack than under the learned one",
        value="error",
        chosen="the largest error",
    ),
    BACKDOOR.name: GoalWords(
        stronger="implants the backdoor better",
        gaps={
            "more": "The learned attack is stronger: its score is higher than that of the worst hand-crafted one, and "
            "hand-crafted attacks overestimate this rule.",
            "less": "The learned attack is weaker: its score is lower than that of the worst hand-crafted one. The "
            "score of {crafted} is the better estimate of what this rule is worth; a larger --budget may find a "
            "stronger policy.",
            "no difference that counts": "The learned attack is as strong as the worst hand-crafted one: their scores "
            "do not differ by an amount that counts, since the whole interval of the gap lies within ±{gap:g}.",
            "undecided": "It is undecided whether the learned attack has a higher or a lower score: the interval of "
            "the gap extends beyond {gap:g} on both sides of zero. More --seeds make it narrower.",
        },
        metric="score",
        extreme="highest mean score",
        elsewhere="have a higher score",
        breaks="reach a backdoor accuracy of 50%",
        also="reaches it",
        not_also="reach it",
        broken="backdoor accuracy",
        measured="Score of the attack after the last round, half the backdoor accuracy plus half the accuracy",
        gap="the gap is how much higher the score of the learned attack is than that of the worst hand-crafted one",
        value="score",
        chosen="the highest score",
    ),
}
WORDS: Mapping[GoalName, GoalWords] = {**_SINGLE, TEAM.name: _SINGLE[UNTARGETED.name]}
"""A team has the goal of a single attacker."""
