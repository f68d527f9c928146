"""How an audit's team of attackers is trained: the contenders that share the budget, oracles first."""

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

from sparring.attacks import ScaledGradientActions, SeparateSearchActions
from sparring.attacks.learned.team_acting import MemberDecoder
from sparring.learning.joint_actions import JointActions
from sparring.learning.learner import Learner


class TeamContender(NamedTuple):
    """The action space of a team's members, and the learner of their policy."""

    acting: MemberDecoder
    learner: Learner[Any]


TEAM_CONTENDERS: Mapping[str, TeamContender] = {
    # -1 is the lowest factor that gradient rescaling allows, 1 an honest update.
    "joint_gradient": TeamContender(
        ScaledGradientActions(), JointActions(tuple((factor,) for factor in (-1.0, -0.5, 0.0, 0.5, 1.0)))
    ),
    # Lengths of 3, 18 and 100 in units of the own updates, after 7 or 23 steps.
    "joint_search": TeamContender(SeparateSearchActions(), JointActions(tuple(product((0.0, 0.5, 1.0), (0.0, 0.6))))),
}
"""The searches by name: first the oracles of constant joint actions. A learner of teams is one more entry."""
