"""How an audit's team of attackers is trained: the contenders that share the budget, oracles first."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

from sparring.attacks import ScaledGradientActions, SeparateSearchActions
from sparring.attacks.learned.team_acting import MemberDecoder
from sparring.experiments.audit.contenders import SEARCH
from sparring.learning.actor_critic import UpdateSettings
from sparring.learning.joint_actions import JointActions
from sparring.learning.learner import Learner
from sparring.learning.multi_agent.cmaddpg import MULTI_AGENT_TD3
from sparring.learning.multi_agent.ranked_policies import RankedPolicies
from sparring.learning.search import SmallNetworks
from sparring.policies.encoder import FeatureEncoder


class TeamContender(NamedTuple):
    """The action space of a team's members, and the learner of their policy."""

    acting: MemberDecoder
    learner: Learner[Any]


SHARE = FeatureEncoder(0)
"""Keeps the share of malicious clients of what a team observes."""
RANK_SEARCH = replace(
    SEARCH,
    family=RankedPolicies(SmallNetworks(encoder=SHARE)),
    # Slopes in the share, then the action in the middle (a third of γ's range, 20 steps), then slopes in the rank.
    start=(0.0, 0.0, 0.3, 0.5, 0.0, 0.0),
)
"""Policies that are linear in the share and in the rank."""
TEAM_TD3 = replace(
    MULTI_AGENT_TD3,
    settings=UpdateSettings(hidden=(64, 64), discount=0.9, averaging=0.01, saturation=0.05),
    batch=128,
    warmup=400,
    pace=2,
    encoder=SHARE,
)
"""Multi-agent TD3 on the share and the rank; a team of an audit does not observe how much time is left."""

TEAM_CONTENDERS: Mapping[str, TeamContender] = {
    # -1 is the lowest factor that gradient rescaling allows, 1 an honest update.
    "joint_gradient": TeamContender(
        ScaledGradientActions(), JointActions(tuple((factor,) for factor in (-1.0, -0.5, 0.0, 0.5, 1.0)))
    ),
    # Lengths of 3, 18 and 100 in units of the own updates, after 7 or 23 steps.
    "joint_search": TeamContender(SeparateSearchActions(), JointActions(tuple(product((0.0, 0.5, 1.0), (0.0, 0.6))))),
    "rank_search": TeamContender(SeparateSearchActions(), RANK_SEARCH),
    "team_td3": TeamContender(ScaledGradientActions(), TEAM_TD3),
}
"""The learners by name: first the oracles of constant joint actions."""
