from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import pytest
import torch

from sparring.attacks.untargeted.rule_simulation import simulate_rule
from sparring.contracts import OmniscientView
from sparring.defenses import CenteredClipping, Mean
from sparring.errors import PluginError
from sparring.federation import Attacker, Scenario, Threat, initial_state, play_round
from tests.settings import small_federation


@dataclass(frozen=True)
class Foresee:
    """Submit ones, and keep what the server is expected to answer."""

    needs: ClassVar = OmniscientView
    expected: list = field(default_factory=list)
    seen: list = field(default_factory=list)

    def craft(self, view):
        ones = torch.ones(view.network.size)
        self.seen.append(view)
        self.expected.append(simulate_rule(view)(ones))
        return ones.expand(len(view.clients), -1)


def test_an_omniscient_attacker_can_foresee_what_a_rule_with_memory_answers():
    attack, federation = Foresee(), small_federation()
    scenario = Scenario(federation, CenteredClipping(radius=0.5), [Attacker(6, attack)])
    states = [initial_state(federation)]
    for _ in range(3):
        states.append(play_round(scenario, states[-1])[0])
    moved = [before.parameters - after.parameters for before, after in pairwise(states)]
    torch.testing.assert_close(attack.expected, moved)


def test_the_benign_clients_are_named_in_the_order_of_their_rows():
    attack, federation = Foresee(), small_federation()
    _, record = play_round(Scenario(federation, CenteredClipping(), [Attacker(6, attack)]), initial_state(federation))
    assert attack.seen[0].benign_clients + record.malicious == record.sampled


@dataclass(frozen=True)
class Look:
    """Submit a constant, and keep what was seen of the allies."""

    value: float
    seen: list = field(default_factory=list, compare=False)
    needs: ClassVar = OmniscientView

    def craft(self, view):
        self.seen.append((view.allied.clone(), view.allied_clients))
        return torch.full((len(view.clients), view.network.size), self.value)


def looked(*attacks, mastermind):
    federation = small_federation(sampled=12)
    attackers, threat = (
        [Attacker(3, attack) for attack in attacks],
        Threat(assumed_malicious=0.0, mastermind=mastermind),
    )
    _, record = play_round(Scenario(federation, Mean(), attackers, threat), initial_state(federation))
    return record.malicious


def test_one_mastermind_shows_later_attackers_what_the_earlier_ones_send():
    first, second, third = Look(1.0), Look(2.0), Look(3.0)
    malicious = looked(first, second, third, mastermind=True)
    assert [len(attack.seen[0][0]) for attack in (first, second, third)] == [0, 3, 6]
    rows, clients = third.seen[0]
    assert rows[:, 0].tolist() == [1, 1, 1, 2, 2, 2]
    assert clients == malicious[:6]


def test_attackers_that_are_not_one_see_nothing_of_each_other():
    attacks = Look(1.0), Look(2.0)
    looked(*attacks, mastermind=False)
    assert [(len(attack.seen[0][0]), attack.seen[0][1]) for attack in attacks] == [(0, ()), (0, ())]


def test_an_attacker_that_edits_what_its_allies_send_is_blamed_for_that():
    @dataclass(frozen=True)
    class Rude(Look):
        def craft(self, view):
            view.allied.mul_(2)
            return view.benign.new_zeros(len(view.clients), view.network.size)

    with pytest.raises(PluginError, match="attack Rude edited allied in place"):
        looked(Look(1.0), Rude(2.0), mastermind=True)


def test_what_allies_send_counts_in_what_the_server_is_expected_to_answer():
    attack, federation = Foresee(), small_federation(sampled=12)
    attackers = [Attacker(3, Look(5.0)), Attacker(3, attack)]
    start = initial_state(federation)
    after, _ = play_round(Scenario(federation, Mean(), attackers, Threat(assumed_malicious=0.0)), start)
    torch.testing.assert_close(attack.expected[0], start.parameters - after.parameters)
