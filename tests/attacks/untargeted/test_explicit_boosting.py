from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import ExplicitBoosting
from sparring.attacks.untargeted.explicit_boosting import LossAscent
from sparring.conformance.adversary import OWN, attacker_view
from sparring.errors import ConfigError
from sparring.random import stream
from sparring.training import gradient, loss
from tests.attacks.views import LOGISTIC

ORIGIN = torch.zeros(LOGISTIC.size)


def first_slopes(seen):
    """Return each client's gradient on the first minibatch that it draws."""
    rngs = stream(0, "attack").spawn(len(seen.clients))
    inputs, labels = seen.shards.draw(seen.clients, rngs, steps=1, size=seen.recipe.batch)
    batches = map(Batch, inputs[:, 0], labels[:, 0])
    return torch.stack([gradient(LOGISTIC, seen.parameters, batch=batch) for batch in batches])


def test_one_step_ascends_at_the_clients_rate_and_is_boosted_by_the_share_of_malicious_ones():
    seen = attacker_view()  # ten sampled, three malicious, learning rate 0.1
    torch.testing.assert_close(ExplicitBoosting(steps=1).craft(seen), -0.1 * 10 / 3 * first_slopes(seen))


def test_the_rate_and_the_boost_can_be_set():
    seen = attacker_view()
    torch.testing.assert_close(ExplicitBoosting(steps=1, lr=0.5, boost=4.0).craft(seen), -2 * first_slopes(seen))


def test_the_stealth_term_pulls_towards_the_own_update():
    seen = attacker_view()
    # From zero the term's gradient in the update is -2 · stealth · own; at rate 1/2 one step goes `stealth` of the way.
    expected = 0.3 * OWN - 0.5 * first_slopes(seen)
    torch.testing.assert_close(ExplicitBoosting(steps=1, lr=0.5, boost=1.0, stealth=0.3).craft(seen), expected)


def test_each_submitted_update_raises_its_clients_loss():
    seen = attacker_view()
    for client, row in zip(seen.clients, ExplicitBoosting().craft(seen), strict=True):
        before, after = (loss(LOGISTIC, w, batch=seen.shards[client]) for w in (seen.parameters, seen.parameters - row))
        assert after > before


def test_more_steps_climb_higher():
    batches = Batch(*(part.expand(8, *part.shape) for part in attacker_view().shards[3]))
    climb = LossAscent(LOGISTIC, lr=0.2, stealth=0.0, anchor=ORIGIN)
    ends = [climb.update(ORIGIN, Batch(batches.inputs[:steps], batches.labels[:steps])) for steps in range(9)]
    heights = [loss(LOGISTIC, -end, batch=attacker_view().shards[3]).item() for end in ends]
    assert heights == sorted(heights)
    assert heights[0] < heights[-1]


def test_the_own_updates_are_trained_only_for_the_stealth_term():
    def refuse():
        raise AssertionError("the own updates were asked for")

    ExplicitBoosting(stealth=0.0).craft(replace(attacker_view(), own=refuse))


def test_an_ascent_that_leaves_the_floats_stops_at_its_last_finite_point():
    # The first step ends near 1e37, where the stealth term's slope overflows.
    one, five = (
        ExplicitBoosting(steps=steps, lr=1e38, boost=1.0, stealth=1.0).craft(attacker_view()) for steps in (1, 5)
    )
    assert one.any()
    assert torch.equal(one, five)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, r"^eb\.steps is 0; it must be at least 1$"),
        ({"lr": 0.0}, r"^eb\.lr is 0.0; it must be positive and finite$"),
        ({"lr": float("nan")}, r"^eb\.lr is nan; it must be positive and finite$"),
        ({"boost": -2.0}, r"^eb\.boost is -2.0; it must be positive and finite$"),
        ({"stealth": -0.1}, r"^eb\.stealth is -0.1; it must be at least 0 and finite$"),
        ({"stealth": float("inf")}, r"^eb\.stealth is inf; it must be at least 0 and finite$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        ExplicitBoosting(**settings)
