"""Small policies, with weights that a test can reckon with."""

import torch

from sparring.attacks import LocalSearchActions, attack_policy
from sparring.policies import PolicyVersion
from sparring.policies.network import PolicyNetwork


def constant(*action, inputs):
    """Return a policy that answers the same whatever it sees."""
    bias = torch.tensor(action, dtype=torch.float32)
    return PolicyNetwork(((torch.zeros(len(action), inputs), bias),), squash="clip")


def trained(*action, inputs, acting=None, **settings):
    """Return an attacker whose action is always the same."""
    meaning = LocalSearchActions(numbers=len(action)) if acting is None else acting
    return attack_policy([PolicyVersion(0, constant(*action, inputs=inputs))], meaning, **settings)
