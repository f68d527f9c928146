"""One round by hand, and what it survives."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import InnerProduct, SignFlip
from sparring.contracts import BlackBoxView, OmniscientView, WhiteBoxView, is_oracle
from sparring.defenses import CenteredClipping, ClippingMedian, FLTrust, Krum, Mean, Median
from sparring.errors import PluginError
from sparring.federation import Attacker, Scenario, Threat, initial_state, play_round
from sparring.federation.benign_updates import draw_batches, root_update
from sparring.federation.participants import participants_of, sample_clients
from sparring.training import Sequential, gradient
from tests.settings import clouds, small_federation

FEDERATION = small_federation(backend=Sequential())
START = initial_state(FEDERATION)
NOBODY_ASSUMED = Threat(assumed_malicious=0.0)


def play_once(defense, *attackers, federation=FEDERATION, threat=NOBODY_ASSUMED):
    return play_round(Scenario(federation, defense, attackers, threat), initial_state(federation))


@dataclass(frozen=True)
class Send:
    """Submit fixed rows."""

    rows: object
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        return self.rows(len(view.clients), len(view.parameters)) if callable(self.rows) else self.rows


def constant(value):
    return Send(lambda rows, size: torch.full((rows, size), value))


def test_fedavg_moves_by_the_mean_of_lr_times_the_gradients():
    clients = sample_clients(FEDERATION, 0)
    inputs, labels = draw_batches(FEDERATION, clients, round=0)
    steps = [
        0.5 * gradient(FEDERATION.network, START.parameters, batch=Batch(x[0], y[0]))
        for x, y in zip(inputs, labels, strict=True)
    ]
    after, record = play_once(Mean())
    torch.testing.assert_close(after.parameters, START.parameters - torch.stack(steps).mean(dim=0))
    assert after.round == record.round == 1
    assert record.sampled == clients
    assert record.norms == pytest.approx([step.norm().item() for step in steps], rel=1e-5)


def test_the_server_s_learning_rate_scales_the_step():
    slow, _ = play_once(Mean(), federation=replace(FEDERATION, server_lr=0.5))
    fast, _ = play_once(Mean())
    torch.testing.assert_close(2 * (START.parameters - slow.parameters), START.parameters - fast.parameters)


def test_a_round_leaves_the_state_before_it_alone():
    before = START.parameters.clone()
    play_round(Scenario(FEDERATION, Mean(), threat=NOBODY_ASSUMED), START)
    assert START.parameters.equal(before)
    assert START.round == 0


def test_the_same_clients_and_batches_are_drawn_under_every_attack_and_rule():
    quiet, loud = Scenario(FEDERATION, Mean()), Scenario(FEDERATION, Median(), [Attacker(6, InnerProduct())])
    for round in range(5):
        assert participants_of(quiet, round).sampled == participants_of(loud, round).sampled
    assert sample_clients(FEDERATION, 0) != sample_clients(FEDERATION, 1)


def test_benign_rows_come_first_and_the_malicious_are_recorded():
    _, record = play_once(Mean(), Attacker(6, constant(9.0)))
    malicious = tuple(client for client in sample_clients(FEDERATION, 0) if client < 6)
    assert record.malicious == malicious == record.sampled[-len(malicious) :]
    assert record.norms[-1] == pytest.approx(9 * FEDERATION.network.size**0.5, rel=1e-5)


def test_an_attacker_is_benign_until_it_starts():
    attacked, _ = play_once(Mean(), Attacker(6, constant(9.0), start=1))
    quiet, _ = play_once(Mean())
    torch.testing.assert_close(attacked.parameters, quiet.parameters)


def test_several_attackers_each_play_their_own_clients():
    _, record = play_once(Mean(), Attacker(6, constant(9.0)), Attacker(6, constant(7.0)))
    size = FEDERATION.network.size**0.5
    expected = [9 * size if client < 6 else 7 * size for client in record.sampled]
    assert record.norms == pytest.approx(expected, rel=1e-5)


def test_a_poison_changes_the_data_and_not_the_update_rule():
    @dataclass(frozen=True)
    class SameLabel:
        def poison(self, batch, *, client, rng):
            return Batch(batch.inputs, torch.zeros_like(batch.labels))

    poisoned, record = play_once(Mean(), Attacker(12, poison=SameLabel()))
    clients = record.sampled
    inputs, labels = draw_batches(FEDERATION, clients, round=0)
    steps = [
        0.5 * gradient(FEDERATION.network, START.parameters, batch=Batch(x[0], torch.zeros_like(y[0])))
        for x, y in zip(inputs, labels, strict=True)
    ]
    torch.testing.assert_close(START.parameters - poisoned.parameters, torch.stack(steps).mean(dim=0))


@pytest.mark.parametrize("view", [BlackBoxView, WhiteBoxView, OmniscientView])
def test_an_attack_is_given_the_view_that_it_needs_and_no_other(view):
    seen = []

    @dataclass(frozen=True)
    class Look:
        needs = view

        def craft(self, given):
            seen.append(given)
            return given.own()

    play_once(Mean(), Attacker(6, Look()))
    assert type(seen[0]) is view


def test_an_omniscient_attack_sees_the_benign_updates_of_the_round():
    _, record = play_once(Mean(), Attacker(6, InnerProduct(scale=1.0)))
    benign = len(record.sampled) - len(record.malicious)
    assert benign > 0
    assert record.norms[-1] <= max(record.norms[:benign])


def test_every_sampled_client_may_be_malicious():
    after, record = play_once(Mean(), Attacker(12, SignFlip(scale=1.0)))
    quiet, _ = play_once(Mean())
    assert len(record.malicious) == len(record.sampled)
    torch.testing.assert_close(after.parameters - START.parameters, START.parameters - quiet.parameters)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_rows_that_are_not_finite_are_dropped_and_recorded(value):
    after, record = play_once(Mean(), Attacker(6, constant(value)))
    assert record.dropped == record.malicious
    assert record.norms[-1] is None
    assert torch.isfinite(after.parameters).all()


def test_a_dropped_row_counts_as_one_of_those_assumed_malicious():
    seen = []

    @dataclass(frozen=True)
    class Spy(Mean):
        def aggregate(self, view, memory):
            seen.append((view.malicious, view.clients))
            return view.updates.mean(dim=0), memory

    _, record = play_once(Spy(), Attacker(6, constant(torch.nan)), threat=Threat(assumed_malicious=0.7))
    assert seen == [(max(0, 5 - len(record.dropped)), tuple(c for c in record.sampled if c not in record.dropped))]


def test_a_round_without_any_finite_row_moves_nothing():
    after, record = play_once(CenteredClipping(), Attacker(12, constant(torch.nan)))
    assert after.parameters.equal(START.parameters)
    assert after.memory == {}
    assert len(record.dropped) == 6


def test_huge_finite_rows_do_not_make_the_model_infinite_under_a_robust_rule():
    after, _ = play_once(Median(), Attacker(2, constant(3e38)), threat=Threat(assumed_malicious=0.3))
    assert torch.isfinite(after.parameters).all()


def test_clipped_and_selected_clients_are_recorded_by_id():
    _, record = play_once(ClippingMedian(max_norm=1e-6))
    assert record.clipped == record.sampled
    assert record.selected is None
    _, record = play_once(Krum(), Attacker(2, constant(50.0)))
    assert set(record.selected) <= set(record.sampled) - set(record.malicious)


def test_client_momentum_mixes_a_client_s_updates_over_its_rounds():
    federation = small_federation(momentum=0.9, sampled=12, backend=Sequential())
    scenario = Scenario(federation, Mean(), threat=NOBODY_ASSUMED)
    plain = Scenario(small_federation(sampled=12, backend=Sequential()), Mean(), threat=NOBODY_ASSUMED)
    start = initial_state(federation)
    first, _ = play_round(scenario, start)
    plain_first, _ = play_round(plain, start)
    torch.testing.assert_close(
        start.parameters - first.parameters, 0.1 * (start.parameters - plain_first.parameters), rtol=1e-3, atol=1e-7
    )
    second, _ = play_round(scenario, first)
    plain_second, _ = play_round(plain, first)
    mixed = 0.9 * (start.parameters - first.parameters) + 0.1 * (first.parameters - plain_second.parameters)
    torch.testing.assert_close(first.parameters - second.parameters, mixed, rtol=1e-3, atol=1e-7)
    assert len(second.momenta) == 12


def test_the_server_s_own_update_is_computed_on_its_root_data():
    data = clouds()
    root = Batch(data.train.inputs[:5], data.train.labels[:5])
    federation = small_federation(root=root)
    expected = 0.5 * gradient(federation.network, START.parameters, batch=root)
    torch.testing.assert_close(root_update(federation, START), expected)
    after, record = play_once(FLTrust(), federation=federation)
    assert record.step_norm <= expected.norm().item() * (1 + 1e-5)
    assert not after.parameters.equal(START.parameters)


@pytest.mark.parametrize(
    ("rows", "given"), [(None, "NoneType"), (torch.zeros(1, 2), r"shape \[1, 2\], torch.float32"), ([1.0], "list")]
)
def test_an_attack_that_breaks_its_contract_is_blamed_by_name(rows, given):
    with pytest.raises(PluginError, match=f"attack Send returned {given}; it must return shape"):
        play_once(Mean(), Attacker(6, Send(rows)))


@pytest.mark.parametrize("step", [torch.tensor([torch.nan]), torch.zeros(3)])
def test_a_rule_that_breaks_its_contract_is_blamed_by_name(step):
    @dataclass(frozen=True)
    class Broken(Mean):
        def aggregate(self, view, memory):
            return step, memory

    with pytest.raises(PluginError, match="defense Broken returned a step"):
        play_once(Broken())


@dataclass(frozen=True)
class Counter(Mean):
    """The mean, which keeps how many malicious rows it is told of, and which clients sent the rows."""

    malicious: object = None
    seen: list = field(default_factory=list)

    def aggregate(self, view, memory):
        self.seen.append((view.malicious, view.clients))
        return super().aggregate(view, memory)


def told(rule, *attackers, rounds=6):
    """Return what a rule is told in each round, and the records."""
    scenario, state, records = Scenario(FEDERATION, rule, attackers, Threat(assumed_malicious=0.5)), START, []
    for _ in range(rounds):
        state, record = play_round(scenario, state)
        records.append(record)
    return rule.seen, records


def test_an_oracle_is_told_the_true_count_of_each_round():
    seen, records = told(Counter("sampled"), Attacker(4, constant(1.0), start=1), Attacker(2, constant(2.0)))
    assert [count for count, _ in seen] == [len(record.malicious) for record in records]
    assert len({count for count, _ in seen}) > 2


@pytest.mark.parametrize("own", [None, 2])
def test_no_other_rule_is_told_the_true_count(own):
    seen, records = told(Counter(own), Attacker(4, constant(1.0)))
    assert {count for count, _ in seen} == {3}
    assert {len(record.malicious) for record in records} != {3}


def test_of_the_rows_that_are_left_an_oracle_is_told_which_are_malicious():
    seen, records = told(Counter("sampled"), Attacker(4, constant(torch.nan)), Attacker(2, constant(2.0)))
    left = [len(set(record.malicious) - set(record.dropped)) for record in records]
    assert any(record.dropped for record in records)
    assert [count for count, _ in seen] == left


@pytest.mark.parametrize("rule", [Krum(), Krum("sampled")], ids=repr)
def test_an_attacker_that_knows_the_rule_knows_what_it_is_told(rule):
    seen = []

    @dataclass(frozen=True)
    class Look:
        needs = WhiteBoxView

        def craft(self, given):
            seen.append((given.assumed_malicious, len(given.clients)))
            return given.own()

    scenario, state = Scenario(FEDERATION, rule, [Attacker(6, Look())], Threat(assumed_malicious=1 / 6)), START
    for _ in range(6):
        state, _ = play_round(scenario, state)
    assert len(set(seen)) > 1
    assert all(count == (clients if is_oracle(rule) else 1) for count, clients in seen)
