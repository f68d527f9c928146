from math import log

import pytest
import torch

from sparring.contracts import Model
from sparring.defenses import NeuroClip, Smoothing, certify
from sparring.errors import ConfigError
from sparring.models import Cnn, Logistic, ResNet18
from sparring.random import stream
from tests.defenses.post_training.models import PLAIN, examples, started, units, written


def smoothed(rule, model, *, seed=0):
    return rule.repair(model, root=None, rng=stream(seed, "repair"))


def line():
    """Return a model that says 1 where x is positive, and 0 elsewhere; the other coordinate does not count."""
    return written(Logistic().module((2,), 2), PLAIN, [[0.0, 0.0], [1.0, 0.0]], [0.0, 0.0])


def votes(model, inputs):
    return model.network.votes(model.network.split(model.parameters), inputs)


@pytest.mark.parametrize("architecture", [Cnn(width=2), ResNet18(width=2), Logistic()], ids=repr)
def test_every_copy_has_a_vote(architecture):
    counted = votes(smoothed(Smoothing(votes=7), started(architecture)), examples().inputs)
    assert counted.shape == (12, 10)
    assert (counted.sum(dim=1) == 7).all()


def test_logits_are_the_shares_with_one_vote_more_for_each_class():
    model = smoothed(Smoothing(noise=1e-6, votes=8), line())
    shares = model(torch.tensor([[3.0, 0.0]])).softmax(dim=1)
    torch.testing.assert_close(shares, torch.tensor([[0.1, 0.9]]))
    assert model(torch.tensor([[3.0, 0.0]])).tolist() == [[0.0, pytest.approx(log(9))]]


def test_without_noise_to_speak_of_the_answers_are_the_models_own():
    model = started(Cnn(width=2))
    inputs = examples().inputs
    answers = smoothed(Smoothing(noise=1e-9, votes=3), model)(inputs).argmax(dim=1)
    assert torch.equal(answers, model(inputs).argmax(dim=1))


@pytest.mark.parametrize("settings", [{"noise": 0.5}, {"noise": 0.0, "input_noise": 0.5}], ids=str)
def test_votes_are_as_likely_as_the_noise_makes_them(settings):
    # At x = (0.5, 0) the logits are 0.5 apart. Noise on the input moves that by its own deviation, noise on the
    # parameters by a deviation of 0.5 √(2 · 0.5² + 2): two weights that meet 0.5, and two biases.
    count = 4000
    share = votes(smoothed(Smoothing(**settings, votes=count), line()), torch.tensor([[0.5, 0.0]]))[0, 1].item() / count
    deviation = 0.5 * (2 * 0.25 + 2) ** 0.5 if settings["noise"] else 0.5
    expected = torch.special.ndtr(torch.tensor(0.5 / deviation)).item()
    assert share == pytest.approx(expected, abs=5 * (0.25 / count) ** 0.5)


@pytest.mark.parametrize("settings", [{}, {"input_noise": 0.1}], ids=str)
def test_an_answer_does_not_depend_on_the_inputs_beside_it(settings):
    model = smoothed(Smoothing(noise=0.1, **settings), started(Logistic()))
    inputs = examples().inputs
    alone = torch.cat([model(each[None]) for each in inputs])
    torch.testing.assert_close(model(inputs), alone)


def test_copies_are_drawn_from_the_stream_and_stay_the_same():
    model = started(Logistic())
    inputs = examples(count=40).inputs
    one, again, other = (votes(smoothed(Smoothing(noise=0.1), model, seed=seed), inputs) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_smoothed_network_is_the_network_in_all_but_its_answers():
    model = started(Logistic())
    network = smoothed(Smoothing(), model).network
    assert network.size == model.network.size
    assert network.layers == model.network.layers
    assert torch.equal(network.initial(stream(0, "model")), model.network.initial(stream(0, "model")))


def test_a_clipped_model_can_be_smoothed_and_not_the_other_way_round():
    model = started(Cnn(width=2))
    clipped = NeuroClip().repair(model, root=None, rng=stream(0))
    assert smoothed(Smoothing(votes=2), clipped)(examples().inputs).shape == (12, 10)
    with pytest.raises(ConfigError, match="^neuroclip: the model is a Smoothed; use a chain of layers$"):
        NeuroClip().repair(smoothed(Smoothing(), model), root=None, rng=stream(0))


def test_what_is_certified_is_reported():
    model = smoothed(Smoothing(noise=0.0, input_noise=0.5, votes=1000), line())
    inputs = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 0.0]])
    found = certify(model, inputs)
    assert found.labels.tolist()[:2] == [1, 0]
    assert (found.lower[:2] > 0.9).all()
    assert (found.upper[:2] < 0.1).all()
    assert (found.parameter_radius == 0).all()
    # The vote turns at a distance of 2, and at the border of the classes nothing is proved.
    assert ((found.input_radius[:2] > 0.4) & (found.input_radius[:2] < 2)).all()
    assert found.input_radius[2] == 0


def test_within_its_radius_no_shift_of_the_parameters_turns_a_vote():
    model = smoothed(Smoothing(noise=0.05, votes=1000), line())
    inputs = torch.tensor([[2.0, 0.5]])
    radius = certify(model, inputs).parameter_radius.item()
    assert radius > 0
    worst = torch.tensor([2.0, 0.5, -2.0, -0.5, 1.0, -1.0])
    moved = Model(model.network, model.parameters + radius * worst / worst.norm())
    assert moved(inputs).argmax().item() == 1


def test_only_a_smoothed_model_has_a_certificate():
    with pytest.raises(
        ConfigError, match="^certify: the model is a ModuleNetwork; use what smoothing's repair returns$"
    ):
        certify(units([1.0, 0.0]), torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": -0.1}, "noise=-0.1; use noise >= 0"),
        ({"input_noise": -1.0}, "input_noise=-1.0; use input_noise >= 0"),
        ({"votes": 0}, "votes=0; use votes >= 1"),
        ({"noise": 0.0}, "noise=0 and input_noise=0; use one of them above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^smoothing: {message}$"):
        Smoothing(**settings)


def test_the_noise_is_that_of_crfl():
    assert Smoothing().noise == 0.01
