"""The study of inverted gradients: its page says what was found, and its picture shows it."""

from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.learning.distribution import Denoising, train_denoiser
from sparring.random import stream
from studies import inversion
from studies.inversion import Learned, Single, draw, flat, label_row, line, skewed, written

SHAPE, IMAGES = (1, 28, 28), 12


def batch(labels, *, value=0.5):
    return Batch(torch.full((len(labels), *SHAPE), value), torch.tensor(labels))


@pytest.fixture
def study(monkeypatch):
    """Return a federation all of whose images are gray, learned exactly, in one batch."""
    search = replace(inversion.LEARNING.search, images=IMAGES)
    monkeypatch.setattr(inversion, "LEARNING", replace(inversion.LEARNING, search=search, batches=1))
    true, own = batch([0] * 9 + [1] * 3), batch([0, 1])
    denoiser = train_denoiser(own.inputs, rng=stream(0, "denoising"), training=Denoising(steps=1, width=2))
    read = torch.tensor([0.75, 0.25] + [0.0] * 8, dtype=torch.float64)
    return Learned(true, true, own, batch([0] * IMAGES), read, (true,), denoiser, seconds=1.5)


@pytest.fixture
def alone():
    return Single(batch([0, 1, 2]), batch([0, 1, 1], value=0.6), seconds=2.0)


def test_a_single_image_is_measured_against_its_original_and_against_black(alone):
    assert alone.row == ("20.0", "20.0", "2 of 3", "6.0")


def test_label_distributions_are_measured_against_the_true_mixture(study):
    assert label_row(7, study) == "| 7 | 0.800 | 0.250 | 0.000 | 0.250 | 0.179 | 1.5 |"


def test_the_page_has_a_row_for_everything_that_was_tried(study, alone):
    page = written({0: alone, 1: alone}, {"a lamp": alone}, {7: study})
    assert "| seed 0 | 20.0 | 20.0 | 2 of 3 | 6.0 |\n| seed 1 |" in page
    assert "| a lamp | 20.0 | 20.0 | 2 of 3 | 6.0 | 2 |" in page
    assert "| 7 | 0.00 |" in page, "equal images are at no distance"
    assert "{" not in page


def test_the_picture_is_one(study):
    many = Single(batch(list(range(10))), batch(list(range(10))), seconds=1.0)
    assert draw(many, study).startswith(b"\x89PNG")


def test_the_federation_keeps_of_each_class_its_share():
    train = batch([0, 9] * 500)
    kept = skewed(train._replace(inputs=torch.zeros(1000, 1)), seed=0).labels
    assert (kept == 0).sum() == 500
    assert 20 < (kept == 9).sum() < 90


def test_what_clients_drew_is_one_batch():
    drawn = Batch(torch.zeros(2, 3, 4, *SHAPE), torch.zeros(2, 3, 4, dtype=torch.int64))
    assert [len(part) for part in flat(drawn)] == [24, 24]


def test_a_line_of_a_table_has_bars():
    assert line(1, "two") == "| 1 | two |"
