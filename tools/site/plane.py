"""A round to draw: a federation whose model has two parameters, so that each update is a point of a plane."""

from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor, nn

from sparring.arrays import Matrix, Vector, row_norms
from sparring.attacks import SignFlip
from sparring.contracts import DefenderView, Defense, Family, Memory, Recipe
from sparring.data import Iid, Synthetic, divide
from sparring.defenses import Median
from sparring.federation import Attacker, Federation, Scenario, Threat, initial_state, play_round
from sparring.models import network
from sparring.random import stream

BENIGN, MALICIOUS = 18, 4
CLIENTS = BENIGN + MALICIOUS
NUDGE = 0.01
"""How far an update is moved to see what the rule makes of it."""
ROUNDS = 30
"""How often a rule is shown the same updates before it is drawn, so that one with a memory has something in it."""


class Tilt(nn.Module):
    """Two features and two classes, told apart by one weight a feature."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2))

    def forward(self, inputs: Tensor) -> Tensor:
        score = inputs @ self.weights
        return torch.stack([score, -score], dim=1)


@dataclass(frozen=True)
class Witness:
    """Remember what the server saw, and answer as `inner` does."""

    inner: Defense
    seen: list[DefenderView] = field(default_factory=list)

    @property
    def family(self) -> Family:
        return self.inner.family

    def limit(self, clients: int) -> int:
        return self.inner.limit(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        self.seen.append(view._replace(updates=view.updates.clone()))
        return self.inner.aggregate(view, memory)


@cache
def federation() -> Federation:
    """Return 22 clients of two-dimensional Gaussian classes, all of which take part in every round."""
    data = Synthetic(classes=2, features=2, examples=20 * CLIENTS, separation=1.5).load()
    return Federation(
        network=network(Tilt(), data),
        shards=divide(data.train, Iid(), clients=CLIENTS, seed=0),
        test=data.test,
        root=data.test,
        sampled=CLIENTS,
        recipe=Recipe(steps=1, batch=8, lr=2.5),
    )


def attacked(attacker: Attacker) -> DefenderView:
    """Play the first round against the median, and return what the server saw: the benign updates, then the others."""
    witness = Witness(Median())
    scenario = Scenario(federation(), witness, [attacker], Threat(assumed_malicious=MALICIOUS / CLIENTS))
    play_round(scenario, initial_state(scenario.federation))
    return witness.seen[-1]


@cache
def sign_flips() -> DefenderView:
    """Return the round that rules are drawn in: the malicious clients reverse their updates."""
    return attacked(Attacker(MALICIOUS, SignFlip()))


@dataclass(frozen=True)
class Server:
    """A rule in a round, with what it remembers of the rounds before."""

    rule: Defense
    view: DefenderView
    memory: Memory

    def step(self, updates: Matrix) -> Vector:
        """Return what the rule makes of other updates in this round."""
        view = self.view._replace(updates=updates, rng=stream(0, "gallery", self.view.round))
        return self.rule.aggregate(view, self.memory)[0]

    def influence(self) -> Tensor:
        """Return how far the rule's step follows each update that moves a little: 1 for all the way, 0 for not at all.

        It is the root mean square over both directions, by central differences.
        """
        updates = self.view.updates
        nudges = NUDGE * torch.eye(updates.numel()).view(-1, *updates.shape)
        steps = [(self.step(updates + nudge) - self.step(updates - nudge)) / (2 * NUDGE) for nudge in nudges]
        return torch.stack(steps).square().sum(dim=1).view(len(updates), 2).mean(dim=1).sqrt()

    def errors(self, points: Matrix) -> Tensor:
        """Return how far from the benign mean the step ends when all malicious updates are at each of `points`."""
        benign = self.view.updates[:BENIGN]
        steps = [self.step(torch.cat([benign, point.expand(MALICIOUS, 2)])) for point in points]
        return row_norms(torch.stack(steps) - benign.mean(dim=0))


def server(rule: Defense) -> Server:
    """Let the rule see the sign flips in all rounds before the last, which is the one to draw."""
    seen = sign_flips()
    memory: Memory = {}
    for number in range(ROUNDS - 1):
        view = seen._replace(round=number, rng=stream(0, "gallery", number))
        _, memory = rule.aggregate(view, memory)
        if not memory:
            break
    return Server(rule, seen._replace(round=ROUNDS - 1), memory)


def remembered(rule: Defense) -> list[str]:
    """Return what the rule carries from one round to the next."""
    return list(server(rule).memory)
