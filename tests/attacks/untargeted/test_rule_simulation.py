from dataclasses import dataclass, field

import torch

from sparring.attacks.untargeted.rule_simulation import simulate_rule
from sparring.conformance.adversary import BENIGN, Rule, attacker_view

SUBMITTED = torch.full((12,), 5.0)


@dataclass(frozen=True)
class Listening(Rule):
    """A rule that keeps what it was shown, and answers with a draw."""

    heard: list = field(default_factory=list)

    def aggregate(self, view, memory):
        self.heard.append((view._replace(updates=view.updates.clone()), memory))
        return torch.full((12,), view.rng.random()), memory


@dataclass(frozen=True)
class Oracle(Listening):
    malicious: str = "sampled"


def heard(**changes):
    """Return what a rule is shown when one update is rehearsed, and the attacker's view."""
    seen = attacker_view(rule=Listening(), **changes)
    simulate_rule(seen)(SUBMITTED)
    return *seen.rule.heard[0], seen


def test_the_rule_is_shown_the_benign_rows_and_then_one_for_each_malicious_client():
    shown, _, seen = heard()
    assert torch.equal(shown.updates, torch.cat([BENIGN, SUBMITTED.expand(3, -1)]))
    assert shown.clients == seen.benign_clients + seen.clients
    assert (shown.round, shown.malicious) == (seen.round, seen.assumed_malicious)
    assert torch.equal(shown.root(), seen.root())
    assert torch.equal(shown.parameters, seen.parameters)


def test_the_rule_remembers_what_it_does_at_the_server():
    memory = {"center": torch.ones(12)}
    assert heard(memory=memory)[1] is memory


def test_rows_that_the_server_drops_count_as_malicious_ones():
    spoiled = BENIGN.clone()
    spoiled[2, 3] = torch.nan
    shown, _, seen = heard(benign=spoiled)
    assert torch.equal(shown.updates[:-3], BENIGN[[0, 1, 3, 4, 5, 6]])
    assert shown.clients == tuple(client for client in seen.benign_clients if client != 22) + seen.clients
    assert shown.malicious == 1


def test_a_rule_that_draws_draws_the_same_for_every_update():
    answer = simulate_rule(attacker_view(rule=Listening()))
    assert torch.equal(answer(SUBMITTED), answer(-SUBMITTED))


def test_updates_are_rehearsed_one_after_the_other_in_the_same_rows():
    answer = simulate_rule(attacker_view())
    crowd = simulate_rule(attacker_view(BENIGN[:2]))
    assert torch.equal(crowd(SUBMITTED), SUBMITTED)
    assert torch.equal(crowd(-SUBMITTED), -SUBMITTED)
    assert not torch.equal(answer(SUBMITTED), SUBMITTED)


def test_an_oracle_is_told_how_many_of_the_rehearsed_rows_are_malicious():
    spoiled = BENIGN.clone()
    spoiled[2, 3] = torch.nan
    seen = attacker_view(benign=spoiled, rule=Oracle(), assumed_malicious=5, allied=BENIGN[:1], allied_clients=(7,))
    simulate_rule(seen)(SUBMITTED)
    assert seen.rule.heard[0][0].malicious == 4
