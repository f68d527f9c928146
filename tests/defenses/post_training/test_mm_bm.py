import pytest
import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.defenses import MMBM
from sparring.defenses.post_training.mm_bm import bounded, largest, objective
from sparring.errors import ConfigError
from sparring.models import Cnn, LeNet, ResNet18
from sparring.random import stream
from tests.defenses.post_training.models import examples, started, units
from tests.settings import Facts

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


AUTHORS = MMBM(steps=0, places=("2", "4", "6"), start=8.0)
"""After the first convolution, the first stage and the second, as the authors bound ResNet-18."""


def test_the_places_and_the_start_of_the_authors():
    images = Facts(shape=(3, 12, 12), mean=(0.5,) * 3, std=(0.2,) * 3)
    model, root = started(ResNet18(width=2), images), examples(images)
    loud = Model(model.network, 50 * model.parameters)
    seen = largest(AUTHORS.repair(loud, root=root, rng=stream(0)).network, loud.parameters, inputs=root.inputs)
    before = largest(loud.network, loud.parameters, inputs=root.inputs)
    assert [name for name in before if before[name].max() > 8 >= seen[name].max()][:3] == ["2", "4", "6"]
    assert {name: seen[name].max().item() for name in ("2", "4", "6")} == {"2": 8.0, "4": 8.0, "6": 8.0}
    assert seen["8"].max() > 8


def test_bounds_that_start_at_a_number_stay_there_without_steps():
    cut = repaired(MMBM(steps=0, start=0.5))
    assert cut(torch.tensor([[1.0, 0.2]])).tolist() == [[0.5, pytest.approx(0.2)]]


def test_an_activation_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="^mm_bm: places has '7'; the hidden activations are: 1$"):
        repaired(MMBM(places=("7",)))
    with pytest.raises(ConfigError, match="^mm_bm: places has '7'"):
        MMBM(places=("7",)).check(CROSSED, root=ROOT)


@pytest.mark.parametrize(("settings", "message"), [({"start": 0.0}, "start=0.0"), ({"places": ()}, "places is empty")])
def test_places_and_a_start_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^mm_bm: {message}"):
        MMBM(**settings)
