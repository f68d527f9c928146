"""Policies of learned players, for attackers and defenders."""

from sparring.policies.network import PolicyNetwork
from sparring.policies.observation import Features
from sparring.policies.saved_policy import PolicyVersion, SavedPolicy, load_policy, save_policy

__all__ = ["Features", "PolicyNetwork", "PolicyVersion", "SavedPolicy", "load_policy", "save_policy"]
