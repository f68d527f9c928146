import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.inversion import dealt_labels, label_shares, mean_answers
from sparring.random import stream
from tests.inversion.pictures import CLASSES, bars, leaked, model


def shares_of(at, examples, *, known):
    return label_shares(at, leaked(at, examples), answers=mean_answers(at, known)).tolist()


def test_a_batch_gives_its_labels_away():
    examples = bars([0, 0, 0, 2])
    assert shares_of(model(), examples, known=examples) == pytest.approx([0.75, 0, 0.25, 0], abs=1e-4)


def test_the_known_examples_need_other_shares_only():
    known = bars([0, 1, 2, 3])
    assert shares_of(model(), bars([0, 0, 0, 2]), known=known) == pytest.approx([0.75, 0, 0.25, 0], abs=0.05)


def test_a_class_without_known_examples_is_answered_as_all_others():
    known, at = bars([0, 1, 1]), model()
    answers = at(known.inputs).double().softmax(dim=1)
    expected = torch.stack([answers[0], answers[1:].mean(dim=0), answers.mean(dim=0), answers.mean(dim=0)])
    torch.testing.assert_close(mean_answers(at, known), expected)


def test_known_examples_may_be_bytes():
    floats = bars([0, 1])
    in_bytes = Batch((255 * floats.inputs).round().to(torch.uint8), floats.labels)
    torch.testing.assert_close(mean_answers(model(), in_bytes), mean_answers(model(), floats), atol=1e-3, rtol=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_tells_nothing(value):
    at = model()
    told = label_shares(at, torch.full_like(at.parameters, value), answers=mean_answers(at, bars([0, 1, 2, 3])))
    assert told.tolist() == [1 / CLASSES] * CLASSES


def test_a_model_that_answers_no_numbers_tells_nothing():
    sound = model()
    broken = Model(sound.network, torch.full_like(sound.parameters, torch.nan))
    told = label_shares(broken, leaked(sound, bars([0])), answers=mean_answers(broken, bars([0])))
    assert told.tolist() == [1 / CLASSES] * CLASSES


@pytest.mark.parametrize("scale", [1e-30, 1e30, -1.0])
def test_whatever_a_gradient_says_shares_are_shares(scale):
    at, known = model(), bars([0, 1, 2, 3])
    told = label_shares(at, scale * leaked(at, bars([0, 0, 2])), answers=mean_answers(at, known))
    assert told.min() >= 0
    assert told.sum() == pytest.approx(1)


def test_labels_are_dealt_as_the_shares_say():
    labels = dealt_labels(np.array([0.5, 0.25, 0, 0.25]), 8, rng=stream(0, "labels"))
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 3, 3]


def test_on_average_a_small_share_is_not_rounded_away():
    shares, rng = np.array([0.97, 0.03]), stream(0, "labels")
    rare = sum(int(dealt_labels(shares, 4, rng=rng).sum()) for _ in range(1000))
    assert rare / 4000 == pytest.approx(0.03, abs=0.01)


def test_a_single_label_is_the_likeliest():
    rng = stream(0, "labels")
    assert {dealt_labels(np.array([0.2, 0.5, 0.3]), 1, rng=rng).item() for _ in range(20)} == {1}
