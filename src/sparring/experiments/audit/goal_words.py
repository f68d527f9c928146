"""The words of a report for each goal of an audit."""

from collections.abc import Mapping
from typing import NamedTuple

from sparring.experiments.analysis.statistics import Reading
from sparring.experiments.audit.goals import BACKDOOR, UNTARGETED, GoalName


class GoalWords(NamedTuple):
    """What a report says where the goals differ."""

    stronger: str
    """What a stronger attack does, after `the learned attack`."""
    gaps: Mapping[Reading, str]
    no_more: str
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


WORDS: Mapping[GoalName, GoalWords] = {
    UNTARGETED.name: GoalWords(
        stronger="lowers the accuracy more",
        gaps={
            "more": "The learned attack lowers the accuracy more than the worst hand-crafted one: hand-crafted attacks "
            "overestimate this rule.",
            "less": "The learned attack lowers the accuracy less than the worst hand-crafted one.",
            "no difference that counts": "The learned attack and the worst hand-crafted one do not differ by an amount "
            "that counts: the whole interval of the gap lies within ±{gap:g}.",
            "undecided": "It is undecided whether the learned attack lowers the accuracy more: the interval of the gap "
            "contains {gap:g}, the smallest gap that counts.",
        },
        no_more="The learned attack does not lower the accuracy more than the worst hand-crafted one; it may lower it "
        "less.",
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
            "more": "The learned attack has a higher score than the worst hand-crafted one: hand-crafted attacks "
            "overestimate this rule.",
            "less": "The learned attack has a lower score than the worst hand-crafted one.",
            "no difference that counts": "The scores of the learned attack and of the worst hand-crafted one do not "
            "differ by an amount that counts: the whole interval of the gap lies within ±{gap:g}.",
            "undecided": "It is undecided whether the learned attack has a higher score: the interval of the gap "
            "contains {gap:g}, the smallest gap that counts.",
        },
        no_more="The learned attack does not have a higher score than the worst hand-crafted one; it may have a lower "
        "one.",
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
