import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import (
    LocalSearch,
    MemberUpdateActions,
    ScaledGradientActions,
    SeparateSearchActions,
    TeamActions,
)
from sparring.attacks.learned.team_acting import TEAM_ACTING, rescaled_range
from sparring.conformance import failures
from sparring.conformance.adversary import OWN, attacker_view, updates
from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.check import format_check_name
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Team
from sparring.data import CommonShards
from sparring.errors import ConfigError
from sparring.training import gradient
from tests.attacks.views import LOGISTIC

CLIENTS = (9, 2, 5)
"""Their ranks are 2, 0 and 1."""
PLAIN = ScaledGradientActions(rescaled=0)
EXAMPLES = {
    "member_update": [MemberUpdateActions(), MemberUpdateActions(2.0, stealth=1.0)],
    "scaled_gradient": [ScaledGradientActions(), ScaledGradientActions(rescaled=0, stealth=0.5)],
    "separate_search": [SeparateSearchActions(steps=(1, 9)), SeparateSearchActions(relative=False, lr=1e3)],
}
CASES = [acting for actings in EXAMPLES.values() for acting in actings]


def actions(*rows):
    return np.array(rows, np.float32).reshape(len(rows), -1)


def test_every_decoder_has_an_example():
    assert EXAMPLES.keys() == TEAM_ACTING.keys()


# What is decoded holds arrays, and is no member of a catalogue.
@pytest.mark.parametrize(
    "check", [check for check in ATTACK_CHECKS if check not in SETTINGS_CHECKS], ids=format_check_name
)
@pytest.mark.parametrize("acting", CASES, ids=repr)
def test_what_a_team_decides_is_an_attack(acting, check):
    drawn = np.random.default_rng(1).uniform(-1, 1, (9, acting.size(LOGISTIC))).astype(np.float32)
    assert failures(check, acting.attack(drawn)) == ()


@pytest.mark.parametrize("acting", CASES, ids=repr)
def test_rows_of_absent_ranks_are_ignored(acting):
    drawn = np.random.default_rng(1).uniform(-1, 1, (6, acting.size(LOGISTIC))).astype(np.float32)
    other = drawn.copy()
    other[3:] = 0
    rows = [acting.attack(each).craft(attacker_view(clients=CLIENTS)) for each in (drawn, other)]
    assert torch.equal(*rows)


@pytest.mark.parametrize("acting", CASES, ids=repr)
def test_clients_with_the_same_ranks_submit_the_same(acting):
    shards = CommonShards(Batch(torch.rand(9, 3), torch.arange(9) % 3), 100)
    drawn = np.random.default_rng(1).uniform(-1, 1, (3, acting.size(LOGISTIC))).astype(np.float32)
    rows = [
        acting.attack(drawn).craft(attacker_view(clients=clients, shards=shards)) for clients in (CLIENTS, (90, 1, 17))
    ]
    assert torch.equal(*rows)


def test_a_team_with_more_clients_than_ranks_is_refused():
    with pytest.raises(ConfigError, match="a team of 2 ranks has 3 sampled clients"):
        PLAIN.attack(actions(0, 0)).craft(attacker_view())


def test_a_seats_action_is_one_row_per_rank():
    team = TeamActions(SeparateSearchActions(), Team(ranks=5, whole=20))
    assert team.size(LOGISTIC) == 10
    assert team.attack(np.arange(10, dtype=np.float32)).actions[1].tolist() == [2, 3]


class TestScaledGradient:
    def test_a_number_is_the_factor_of_its_rank(self):
        rows = PLAIN.attack(actions(-1, 0.5, 3)).craft(attacker_view(clients=CLIENTS))
        torch.testing.assert_close(rows, OWN * torch.tensor([1.0, -1.0, 0.5])[:, None])

    def test_the_range_may_be_another(self):
        rows = ScaledGradientActions(rescaled=0, within=(-3, 1)).attack(actions(-1, 0, 1)).craft(attacker_view())
        torch.testing.assert_close(rows, OWN * torch.tensor([-3.0, -1.0, 1.0])[:, None])

    def test_rescaling_takes_the_extreme_coordinates_of_the_samples_gradients(self):
        view = attacker_view()
        examples = view.shards.shared(64)[3]
        each = [
            gradient(view.network, view.parameters, batch=Batch(image[None], label[None]))
            for image, label in zip(*examples, strict=True)
        ]
        low, high = (extreme(torch.stack(each)).item() for extreme in (torch.min, torch.max))
        found = rescaled_range(view.network, view.parameters, examples)
        assert found == pytest.approx((low / high, 1.0), rel=1e-5)

        def as_printed(number):
            return number * (high - low) / abs(high) * 0.5 + (high + low) / abs(high) * 0.5

        rows = ScaledGradientActions().attack(actions(-1, 0, 0.5)).craft(view)
        factors = torch.tensor([[as_printed(number)] for number in (-1, 0, 0.5)])
        torch.testing.assert_close(rows, OWN * factors)

    def test_without_a_gradient_the_range_is_the_plain_one(self):
        blank = torch.full((LOGISTIC.size,), torch.nan)
        assert rescaled_range(LOGISTIC, blank, Batch(torch.rand(4, 3), torch.zeros(4, dtype=torch.long))) is None


class TestSeparateSearch:
    def test_a_lone_member_searches_as_the_local_search_does(self):
        shards = CommonShards(Batch(torch.rand(1, 3), torch.tensor([1])), 100)  # every draw is this example
        view = attacker_view(own=updates(1, "one"), shards=shards)
        acting = SeparateSearchActions(scale=(0.1, 10), steps=(1, 9), relative=False)
        rows = acting.attack(actions([0.0, 0.0])).craft(view)
        torch.testing.assert_close(rows, LocalSearch(scale=1.0, steps=3).craft(view), rtol=1e-4, atol=1e-6)

    def test_each_member_has_a_length_and_a_number_of_steps_of_its_own(self):
        shards = CommonShards(Batch(torch.rand(1, 3), torch.tensor([1])), 100)
        acting = SeparateSearchActions(scale=(1, 100), steps=(1, 50))
        rows = acting.attack(actions([-1, -1], [0, 1], [1, -1])).craft(attacker_view(shards=shards))
        median = OWN.norm(dim=1).median()
        torch.testing.assert_close(rows.norm(dim=1), median * torch.tensor([1.0, 10.0, 100.0]))
        torch.testing.assert_close(100 * rows[0], rows[2])  # one step each
        assert torch.cosine_similarity(rows[0], rows[1], dim=0) < 0.9999

    def test_one_that_diverges_is_noted_and_the_others_are_as_without_it(self):
        noted = []
        shards = CommonShards(Batch(torch.rand(9, 3), torch.arange(9) % 3), 100)
        view = attacker_view(
            shards=shards, parameters=torch.full((LOGISTIC.size,), torch.nan), note=lambda *given: noted.append(given)
        )
        rows = SeparateSearchActions().attack(actions([0, 0], [0, 0], [0, 0])).craft(view)
        assert noted == [("diverged", (0, 1, 2))]
        assert torch.isfinite(rows).all()


class TestMemberUpdate:
    def test_each_member_submits_its_own_numbers(self):
        drawn = np.linspace(-2, 2, 3 * LOGISTIC.size, dtype=np.float32).reshape(3, -1)
        rows = MemberUpdateActions(bound=2.0).attack(drawn).craft(attacker_view(clients=CLIENTS))
        torch.testing.assert_close(rows, 2 * torch.from_numpy(drawn).clamp(-1, 1)[[2, 0, 1]])


class TestStealth:
    def test_it_moves_the_rows_towards_the_last_change_of_the_model(self):
        view = attacker_view()
        plain, stealthy = (
            ScaledGradientActions(rescaled=0, stealth=stealth).attack(actions(1, -1, 0)).craft(view)
            for stealth in (0.0, 3.0)
        )
        torch.testing.assert_close(stealthy, (plain + 3 * (view.previous - view.parameters)) / 4)

    def test_before_the_first_change_the_own_mean_stands_for_it(self):
        rows = (
            ScaledGradientActions(rescaled=0, stealth=1.0).attack(actions(0, 0, 0)).craft(attacker_view(previous=None))
        )
        torch.testing.assert_close(rows, (OWN.mean(dim=0) / 2).expand(3, -1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaledGradientActions(rescaled=-1), "acting.rescaled is -1; it must be at least 0"),
        (lambda: ScaledGradientActions(within=(1, 0)), "acting.within is [1, 0]; it must rise, and be finite"),
        (lambda: ScaledGradientActions(stealth=-1), "acting.stealth is -1; it must be at least 0 and finite"),
        (lambda: SeparateSearchActions(scale=(0, 1)), "acting.scale is [0, 1]; it must rise from above 0"),
        (lambda: SeparateSearchActions(batch=0), "acting.batch is 0; it must be at least 1"),
        (lambda: MemberUpdateActions(bound=0), "acting.bound is 0; it must be positive and finite"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make, message):
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message
