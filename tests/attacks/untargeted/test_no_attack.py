import torch

from sparring.attacks import NoAttack
from sparring.conformance.adversary import OWN, attacker_view


def test_clients_submit_what_their_training_gives():
    assert torch.equal(NoAttack().craft(attacker_view()), OWN)
