"""A federation that is quickly played, and games over it."""

import numpy as np
import torch

from sparring.arrays import Batch
from sparring.attacks import InnerProduct, LocalSearchActions
from sparring.conformance.adversary import logistic
from sparring.data import ClientShards, Iid, divide
from sparring.defenses import Mean
from sparring.defenses.learned.actions import DefenseActions
from sparring.federation import Attacker, Federation, Scenario
from sparring.games.federated import (
    AttackerSeat,
    AttackType,
    DefenderObjective,
    DefenderSeat,
    FederatedGame,
    SeatControlled,
    UntargetedObjective,
)
from sparring.random import stream

RNG = stream(0, "examples")
EXAMPLES = Batch(torch.from_numpy(RNG.random((60, 3), dtype=np.float32)), torch.from_numpy(RNG.integers(3, size=60)))
"""Three features, three classes."""
RANGES = LocalSearchActions(scale=(0, 4), steps=(1, 3), numbers=3, variant="ascent")
SEATED = AttackType((Attacker(4, SeatControlled()),))
FIXED = AttackType((Attacker(4, InnerProduct(2.0)),))


def shards(clients=10) -> ClientShards:
    return divide(EXAMPLES, Iid(), clients=clients, seed=0)


def scenario(*, sampled=3, defense=None, **settings):
    federation = Federation(network=logistic(), shards=shards(), test=EXAMPLES, sampled=sampled, **settings)
    return Scenario(federation, Mean() if defense is None else defense)


def attacker(**settings):
    return AttackerSeat(RANGES, UntargetedObjective(EXAMPLES), **settings)


def defender(**settings):
    return DefenderSeat(DefenseActions(repair="none"), DefenderObjective(EXAMPLES), layers=1, **settings)


def attackers_game(*, rounds=8, played=None, domain=(SEATED,), **settings):
    """Return a game in which only the attacker sits."""
    return FederatedGame(played or scenario(), domain, {"attacker": attacker(**settings)}, rounds)


def full_game(*, rounds=5, domain=(SEATED, FIXED)):
    """Return a game of both seats, the attackers' type being hidden."""
    return FederatedGame(scenario(), domain, {"defender": defender(), "attacker": attacker()}, rounds)


def action(*numbers):
    return np.array(numbers, dtype=np.float32)
