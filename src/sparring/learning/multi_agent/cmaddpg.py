"""CMADDPG and multi-agent TD3: the settings of the house's actor-critic that these algorithms are on a team's seat."""

from dataclasses import replace

from sparring.learning.actor_critic.learner import ActorCritic
from sparring.learning.actor_critic.updates import UpdateSettings

CMADDPG = ActorCritic(
    UpdateSettings(critics=1, delay=1, averaging=0.01, target_noise=0.0, discount=1.0), pace=1, warmup=500
)
"""Cooperative multi-agent DDPG (MARL, algorithm 3): one shared actor, one critic, one update a step, target rate .01.

The text's target, r + Q'(s', a'), has neither a discount nor an end, so that its values grow without bound. Here an
episode ends with its last step, and the observation must tell how much time is left.
"""
MULTI_AGENT_TD3 = replace(CMADDPG, settings=replace(CMADDPG.settings, critics=2, delay=2, target_noise=0.2))
"""Twin critics, target noise and delayed actors (Ackermann et al., 2019), which MARL names as an alternative."""
