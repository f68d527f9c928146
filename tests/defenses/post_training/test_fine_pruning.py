import pytest
import torch
from torch.nn.functional import cross_entropy

from sparring.contracts import Model
from sparring.defenses import FinePruning, Prun
from sparring.errors import ConfigError
from sparring.models import Cnn, Mlp
from sparring.random import stream
from sparring.training import gradient
from tests.defenses.post_training.models import examples, started

ROOT = examples()


def tuned(rule, model, *, seed=0):
    return rule.repair(model, root=ROOT, rng=stream(seed, "repair")).parameters


def test_without_steps_it_is_pruning():
    model = started(Cnn(width=4))
    expected = Prun(0.5).repair(model, root=ROOT, rng=stream(0)).parameters
    assert torch.equal(tuned(FinePruning(0.5, steps=0), model), expected)


def test_a_step_goes_down_the_gradient_of_what_is_left():
    model = started(Mlp(hidden=8))
    pruned = Prun(0.5).repair(model, root=ROOT, rng=stream(0)).parameters
    # A batch as large as the root data is all of them, in another order.
    step = 0.1 * gradient(model.network, pruned, batch=ROOT)
    expected = pruned - torch.where((pruned == 0) & (model.parameters != 0), 0, step)
    torch.testing.assert_close(tuned(FinePruning(0.5, steps=1, batch=len(ROOT.labels), lr=0.1), model), expected)


@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_pruned_channels_stay_silent(activation):
    model = started(Cnn(width=4, activation=activation))
    gone = (Prun(0.5).repair(model, root=ROOT, rng=stream(0)).parameters == 0) & (model.parameters != 0)
    assert gone.any()
    assert (tuned(FinePruning(0.5, steps=5), model)[gone] == 0).all()


def test_training_lowers_the_loss_on_the_root_data():
    model = started(Mlp(hidden=8))
    losses = [
        cross_entropy(
            Model(model.network, tuned(FinePruning(0.5, steps=steps, batch=12), model))(ROOT.inputs), ROOT.labels
        )
        for steps in (0, 20)
    ]
    assert losses[1] < losses[0]


def test_a_batch_larger_than_the_root_data_is_drawn_with_repeats():
    assert torch.isfinite(tuned(FinePruning(steps=2, batch=50), started(Mlp(hidden=4)))).all()


def test_batches_are_drawn_from_the_stream():
    model = started(Mlp(hidden=4))
    one, again, other = (tuned(FinePruning(batch=4), model, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 1.0}, "share=1.0; use share >= 0 and below 1"),
        ({"steps": -1}, "steps=-1; use steps >= 0"),
        ({"batch": 0}, "batch=0; use batch >= 1"),
        ({"lr": 0.0}, "lr=0.0; use a finite lr > 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^fine_pruning: {message}$"):
        FinePruning(**settings)
