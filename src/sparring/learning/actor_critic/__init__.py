"""Deterministic actors and centralized critics, in pure functions of tensors: TD3 is the case of one seat."""

from sparring.learning.actor_critic.learner import ActorCritic, ActorCriticTraining
from sparring.learning.actor_critic.updates import ActorCriticShape, Networks, Transitions, UpdateSettings, update

__all__ = [
    "ActorCritic",
    "ActorCriticShape",
    "ActorCriticTraining",
    "Networks",
    "Transitions",
    "UpdateSettings",
    "update",
]
