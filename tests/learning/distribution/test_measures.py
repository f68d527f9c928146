import pytest
import torch

from sparring.arrays import Batch
from sparring.learning.distribution.measures import image_distance, label_error, matches, psnr
from sparring.random import stream


def points(*values):
    """Return images of one pixel."""
    return torch.tensor(values).view(-1, 1, 1, 1)


def distance(first, second, **settings):
    batches = [Batch(images, torch.zeros(len(images), dtype=torch.int64)) for images in (first, second)]
    return image_distance(*batches, rng=stream(0, "distance"), **settings)


def test_the_label_error_is_the_mass_that_is_elsewhere():
    learned, true = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    assert label_error(learned, true, classes=4) == 0.25
    assert label_error(torch.tensor([0]), torch.tensor([3]), classes=4) == 1.0
    assert label_error(true, true, classes=4) == 0


def test_the_distance_is_how_far_the_mass_has_to_move():
    assert distance(points(0.0, 1.0), points(0.5, 1.0)) == pytest.approx(0.25)
    assert distance(points(0.0, 1.0), points(1.0, 0.0)) == pytest.approx(0)
    assert distance(points(0.0), points(0.0, 1.0)) == pytest.approx(0.5), "samples may differ in size"


def test_the_distance_of_two_images_is_euclidean():
    assert distance(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)) == pytest.approx(2)


def test_bytes_are_scaled():
    assert distance(torch.full((1, 1, 1, 1), 255, dtype=torch.uint8), points(0.0)) == pytest.approx(1)


def test_large_samples_are_thinned():
    spread = torch.linspace(0, 1, 1000).view(-1, 1, 1, 1)
    assert distance(spread, spread, most=50) == pytest.approx(0, abs=0.2)


def test_the_ratio_is_of_the_largest_pixel_to_the_error():
    assert psnr(points(0.0, 0.9), points(0.1, 0.8)).tolist() == pytest.approx([20, 20], abs=1e-4)
    assert psnr(points(0.5), points(0.5)).tolist() == [200], "equal images have a finite one"


def test_images_are_matched_so_that_the_errors_are_least_in_sum():
    true = points(0.0, 0.4, 1.0)
    assert matches(points(0.9, 0.1, 0.5), true).tolist() == [2, 0, 1]
    assert matches(points(0.3, 0.1), true).tolist() == [1, 0], "no true image is matched twice"
