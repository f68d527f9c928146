from math import inf, nan

import pytest
import torch

from sparring.defenses import CRFL, CenteredClipping, FLTrust, Krum, Mean, Median, crfl
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.views import view
from tests.matrices import gaussian


def clipped(step, parameters, *, max_norm=1.0, noise=0.0):
    return crfl(torch.tensor(step), torch.tensor(parameters), max_norm=max_norm, noise=noise, rng=stream(0))


def test_the_step_ends_at_the_clipped_model():
    # The model goes from (2, 5) towards (3, 4), which has norm 5, and ends at (0.6, 0.8).
    step = clipped([-1.0, 1.0], [2.0, 5.0])
    torch.testing.assert_close(torch.tensor([2.0, 5.0]) - step, torch.tensor([0.6, 0.8]))


def test_within_the_bound_the_step_is_the_rules_own_to_the_last_bit():
    step, parameters = gaussian(100), 1e4 * gaussian(100, name="model")
    assert torch.equal(crfl(step, parameters, max_norm=1e6, noise=0.0, rng=stream(0)), step)


@pytest.mark.parametrize("size", [1e8, 1e20, 3e38])
def test_huge_steps_end_on_the_bound(size):
    parameters = torch.ones(4)
    ended = (
        parameters.double() - crfl(torch.full((4,), size), parameters, max_norm=1.0, noise=0.0, rng=stream(0)).double()
    )
    torch.testing.assert_close(ended, torch.full((4,), -0.5).double())


def test_a_model_at_the_origin_stays_there():
    assert clipped([0.0, 0.0], [0.0, 0.0]).tolist() == [0.0, 0.0]


def test_noise_has_the_deviation_it_is_told():
    zeros = torch.zeros(100_000)
    noise = crfl(zeros, zeros, max_norm=1.0, noise=0.01, rng=stream(0))
    assert noise.std().item() == pytest.approx(0.01, rel=0.02)
    assert abs(noise.mean().item()) < 5 * 0.01 / 100_000**0.5


def test_the_bound_grows_with_the_rounds_as_the_authors_let_it():
    rule = CRFL(Mean())
    assert [rule.bound(round) for round in (0, 1, 129, 130, 1000)] == pytest.approx([2.1, 2.2, 15.0, 15.0, 15.0])
    assert rule.noise == 0.01


def test_the_model_of_a_round_has_the_norm_of_its_bound_and_the_rounds_own_noise():
    updates, parameters = gaussian(5, 3), 20 * torch.ones(3)
    rule = CRFL(Median(), noise=0.0)
    for round in (0, 40):
        step, memory = rule.aggregate(view(updates, parameters=parameters, round=round), {})
        assert (parameters - step).norm().item() == pytest.approx(rule.bound(round), rel=1e-5)
        assert memory == {}
    steps = [CRFL(Median()).aggregate(view(updates, round=round), {})[0] for round in (0, 0, 1)]
    assert torch.equal(steps[0], steps[1])
    assert not torch.equal(steps[0], steps[2])


def test_the_rule_inside_keeps_its_memory():
    inner = CenteredClipping(radius=0.5)
    _, memory = CRFL(inner).aggregate(view(gaussian(5, 3)), {})
    assert torch.equal(memory["center"], inner.aggregate(view(gaussian(5, 3)), {})[1]["center"])


@pytest.mark.parametrize("inner", [Krum(), Median(), FLTrust(), Mean()])
def test_it_is_of_the_kind_of_the_rule_inside(inner):
    rule = CRFL(inner)
    assert rule.family == inner.family
    assert [rule.limit(clients) for clients in range(20)] == [inner.limit(clients) for clients in range(20)]


@pytest.mark.parametrize("updates", [torch.empty(0, 3), torch.full((2, 3), nan)])
def test_a_round_in_which_nothing_arrives_moves_nothing(updates):
    step, _ = CRFL(Mean()).aggregate(view(updates, parameters=100 * torch.ones(3)), {})
    assert step.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": 0.0}, "start=0.0; use a finite start > 0"),
        ({"max_norm": inf}, "max_norm=inf; use a finite max_norm > 0"),
        ({"growth": -0.1}, "growth=-0.1; use growth >= 0"),
        ({"noise": -1.0}, "noise=-1.0; use noise >= 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^crfl: {message}$"):
        CRFL(Mean(), **settings)


@pytest.mark.parametrize("settings", [{"max_norm": 0.0}, {"noise": -1.0}])
def test_the_function_refuses_them_as_well(settings):
    with pytest.raises(ConfigError, match="^crfl: "):
        clipped([1.0], [1.0], **settings)
