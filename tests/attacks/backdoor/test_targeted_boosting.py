from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import TargetedBoosting
from sparring.conformance.adversary import attacker_view
from sparring.errors import ConfigError
from sparring.random import stream
from sparring.training import gradient, loss
from tests.attacks.views import LOGISTIC

SETTINGS = {"source": 0, "target": 2, "classes": 3}


def drawn(seen, steps):
    """Return the minibatches that each client draws."""
    rngs = stream(0, "attack").spawn(len(seen.clients))
    inputs, labels = seen.shards.draw(seen.clients, rngs, steps=steps, size=seen.recipe.batch)
    return [list(map(Batch, *client)) for client in zip(inputs, labels, strict=True)]


def mislabeled(batch):
    inputs = batch.inputs[batch.labels == 0]
    return Batch(inputs, torch.full((len(inputs),), 2))


def test_a_boosted_step_goes_down_the_loss_of_mislabeled_examples():
    seen = attacker_view()
    sent = TargetedBoosting(**SETTINGS, steps=1, stealth_steps=0, boost=4.0).craft(seen)
    slopes = [gradient(LOGISTIC, seen.parameters, batch=mislabeled(batch)) for (batch,) in drawn(seen, 1)]
    torch.testing.assert_close(sent, 0.1 * 4 * torch.stack(slopes))


def test_the_boost_is_the_sampled_clients_per_malicious_one():
    # Ten are sampled, three malicious.
    one, other = (TargetedBoosting(**SETTINGS, boost=boost).craft(attacker_view()) for boost in (None, 10 / 3))
    assert torch.equal(one, other)


def test_a_step_that_hides_goes_down_the_clean_loss_and_towards_the_last_global_update():
    seen = attacker_view()
    sent = TargetedBoosting(**SETTINGS, steps=1, stealth_steps=1, boost=1.0, lr=0.5, stealth_weight=0.3).craft(seen)
    anchor = seen.previous - seen.parameters
    for row, (first, second) in zip(sent, drawn(seen, 2), strict=True):
        update = 0.5 * gradient(LOGISTIC, seen.parameters, batch=mislabeled(first))
        # w = w_t - u: the gradient of ρ |u - anchor|² in w is -2ρ (u - anchor).
        slope = gradient(LOGISTIC, seen.parameters - update, batch=second) - 0.6 * (update - anchor)
        torch.testing.assert_close(row, update + 0.5 * slope)


def test_before_a_global_update_was_seen_no_distance_is_kept():
    settings = [TargetedBoosting(**SETTINGS, stealth_weight=stealth) for stealth in (0.0, 0.5)]
    near, far = (each.craft(replace(attacker_view(), previous=None)) for each in settings)
    assert torch.equal(near, far)
    near, far = (each.craft(attacker_view()) for each in settings)
    assert not torch.equal(near, far)


def test_each_submitted_update_brings_the_source_closer_to_the_target():
    seen = attacker_view()
    for client, row in zip(seen.clients, TargetedBoosting(**SETTINGS, stealth_steps=1).craft(seen), strict=True):
        meant = mislabeled(seen.shards[client])
        before, after = (loss(LOGISTIC, w, batch=meant) for w in (seen.parameters, seen.parameters - row))
        assert after < before


def test_without_examples_of_the_source_nothing_is_boosted():
    nobody = TargetedBoosting(source=3, target=2, classes=4, steps=1, stealth_steps=0)
    assert not nobody.craft(attacker_view()).any()


def test_a_training_that_leaves_the_floats_stops_at_its_last_finite_point():
    one, five = (TargetedBoosting(**SETTINGS, steps=steps, stealth_steps=0, lr=1e38, boost=1.0) for steps in (1, 5))
    assert one.craft(attacker_view()).any()
    assert torch.isfinite(five.craft(attacker_view())).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, r"^targeted_eb\.steps is 0; it must be at least 1$"),
        ({"stealth_steps": -1}, r"^targeted_eb\.stealth_steps is -1; it must be at least 0$"),
        ({"lr": 0.0}, r"^targeted_eb\.lr is 0.0; it must be positive and finite$"),
        ({"boost": float("inf")}, r"^targeted_eb\.boost is inf; it must be positive and finite$"),
        ({"stealth_weight": -0.1}, r"^targeted_eb\.stealth_weight is -0.1; it must be at least 0 and finite$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TargetedBoosting(**settings)
