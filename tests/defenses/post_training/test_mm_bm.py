import pytest
import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.defenses import MMBM
from sparring.defenses.post_training.mm_bm import bounded, largest, objective
from sparring.errors import ConfigError
from sparring.models import Cnn, LeNet
from sparring.random import stream
from tests.defenses.post_training.models import examples, started, units

CLEAN = torch.tensor([[1.0, 0.0], [0.8, 0.1], [0.0, 1.0], [0.1, 0.9]])
ROOT = Batch(CLEAN, torch.tensor([0, 0, 1, 1]))
CROSSED = units([1.0, 0.0], [0.0, 1.0], [20.0, 20.0], out=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Two units that tell the classes apart, and a loud third that the logits do not use."""


def repaired(rule, model=CROSSED, root=ROOT, *, seed=0):
    return rule.repair(model, root=root, rng=stream(seed, "repair"))


def test_activations_are_cut_to_the_bound_of_their_channel():
    cut = bounded(CROSSED.network, {"1": torch.tensor([[0.5, 2.0, 3.0]])})
    assert Model(cut, CROSSED.parameters)(torch.tensor([[1.0, 1.0]])).tolist() == [[0.5, 1.0]]


def test_the_largest_activations_are_by_channel():
    found = largest(CROSSED.network, CROSSED.parameters, inputs=CLEAN)
    assert found.keys() == {"1"}
    torch.testing.assert_close(found["1"], torch.tensor([[1.0, 1.0, 20.0]]))


def test_a_channel_of_an_image_has_one_bound():
    model = started(LeNet())
    shapes = [bound.shape for bound in largest(model.network, model.parameters, inputs=examples().inputs).values()]
    assert shapes == [(1, 6, 1, 1), (1, 16, 1, 1), (1, 120), (1, 84)]


def test_the_objective_is_the_mean_squared_change_of_the_logits_and_the_norms():
    # The squares are 1, 0, 0 and 4, the norms 5 and 2.
    value = objective(
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        torch.tensor([[2.0, 2.0], [3.0, 2.0]]),
        bounds=[torch.tensor([3.0, 4.0]), torch.tensor([2.0])],
        penalty=0.5,
    )
    assert value.item() == 5 / 4 + 0.5 * 7


def test_without_steps_clean_examples_keep_their_logits():
    model, root = started(Cnn(width=2)), examples()
    model_root = Batch(root.inputs, model(root.inputs).argmax(dim=1))
    assert torch.equal(repaired(MMBM(steps=0), model, model_root)(root.inputs), model(root.inputs))


def test_bounds_fall_where_the_logits_do_not_need_them_and_stay_where_they_do():
    trigger = torch.tensor([[1.0, 1.0]])
    watched = largest(repaired(MMBM()).network, CROSSED.parameters, inputs=100 * trigger)["1"]
    assert watched[0, 2] < 10, "the loud unit serves no class"
    assert (watched[0, :2] > 0).all()


def test_clean_examples_are_classified_as_rightly_as_asked():
    model, root = started(Cnn(width=2)), examples(count=40)
    taught = Batch(root.inputs, model(root.inputs).argmax(dim=1))
    for accuracy in (0.5, 1.0):
        answers = repaired(MMBM(accuracy), model, taught)(root.inputs).argmax(dim=1)
        assert (answers == taught.labels).double().mean() >= accuracy


def test_an_activation_that_no_clean_example_reaches_is_cut():
    trigger = torch.tensor([[50.0, 0.0]])
    assert CROSSED(trigger).tolist() == [[50.0, 0.0]]
    assert repaired(MMBM())(trigger)[0, 0] <= 1


def test_examples_that_the_model_gets_wrong_teach_nothing():
    wrong = Batch(torch.cat([CLEAN, torch.tensor([[9.0, 0.0]])]), torch.tensor([0, 0, 1, 1, 1]))
    assert torch.equal(repaired(MMBM(), root=wrong)(CLEAN), repaired(MMBM())(CLEAN))


def test_a_model_that_gets_nothing_right_is_bounded_all_the_same():
    wrong = Batch(CLEAN, 1 - ROOT.labels)
    assert repaired(MMBM(), root=wrong)(torch.tensor([[50.0, 0.0]]))[0, 0] <= 1


def test_minibatches_are_drawn_from_the_stream():
    root = Batch(CLEAN.repeat(60, 1) * torch.linspace(0.5, 1, 240)[:, None], ROOT.labels.repeat(60))
    one, again, other = (repaired(MMBM(), root=root, seed=seed)(3 * CLEAN) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accuracy": 0.0}, "accuracy=0.0; use accuracy above 0 and at most 1"),
        ({"accuracy": 1.1}, "accuracy=1.1; use accuracy above 0 and at most 1"),
        ({"penalty": 0.0}, "penalty=0.0; use a finite penalty > 0"),
        ({"lr": -1.0}, "lr=-1.0; use a finite lr > 0"),
        ({"steps": -1}, "steps=-1; use steps >= 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^mm_bm: {message}$"):
        MMBM(**settings)
