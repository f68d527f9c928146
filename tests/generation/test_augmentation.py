import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.data import load
from sparring.errors import ConfigError
from sparring.generation import Augmentation
from sparring.random import stream

STILL = Augmentation(degrees=0, shift=0, brightness=0, contrast=0, noise=0)
SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 12, 20)]


def images(*shape, number=7, dtype=torch.float32):
    values = torch.rand(number, *shape, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    return Batch((255 * values).to(dtype) if dtype == torch.uint8 else values, torch.arange(number))


def disk(*, height, width, row, column, radius=3.0):
    rows, columns = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return (radius + 0.5 - torch.hypot(rows - row, columns - column)).clamp(0, 1)[None, None]


def center(image):
    rows, columns = (torch.arange(float(size)) for size in image.shape[-2:])
    mass = image[0, 0] / image.sum()
    return float((mass.sum(dim=1) * rows).sum()), float((mass.sum(dim=0) * columns).sum())


def augmented(augmentation, examples, size, seed=0):
    return augmentation(examples, size=size, rng=stream(seed, "augmentation"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestEveryKindOfImage:
    def test_shape_type_and_range_stay(self, shape, dtype):
        given = images(*shape, dtype=dtype)
        strong = Augmentation(degrees=90, shift=0.5, brightness=1, contrast=1, noise=0.5)
        made = augmented(strong, given, 50)
        assert (made.inputs.shape, made.inputs.dtype) == ((50, *shape), dtype)
        assert made.inputs.min() >= given.inputs.min()
        assert made.inputs.max() <= given.inputs.max()

    def test_each_keeps_its_label_and_without_strength_itself(self, shape, dtype):
        given = images(*shape, dtype=dtype)
        made = augmented(STILL, given, 17)
        assert torch.equal(made.inputs, given.inputs[made.labels])

    def test_a_little_change_keeps_an_image_nearest_to_its_own(self, shape, dtype):
        given = images(*shape, dtype=dtype)
        small = Augmentation(degrees=2, shift=0.01, brightness=0.05, contrast=0.05, noise=0.01)
        made = augmented(small, given, 21)
        nearest = torch.cdist(made.inputs.flatten(1).float(), given.inputs.flatten(1).float()).argmin(dim=1)
        assert torch.equal(nearest, made.labels)

    def test_equal_generators_make_equal_images(self, shape, dtype):
        given = images(*shape, dtype=dtype)
        one, same, other = (augmented(Augmentation(), given, 9, seed) for seed in (0, 0, 1))
        assert torch.equal(one.inputs, same.inputs)
        assert not torch.equal(one.inputs, other.inputs)


@pytest.mark.parametrize("size", [1, 3, 7, 20, 21])
def test_every_example_is_used_as_often_as_another_give_or_take_one(size):
    counts = torch.bincount(augmented(Augmentation(), images(1, 8, 8), size).labels, minlength=7)
    assert counts.sum() == size
    assert counts.max() - counts.min() <= 1
    assert counts.max() == math.ceil(size / 7)


def test_copies_of_one_image_differ():
    one = images(1, 8, 8, number=1)
    made = augmented(Augmentation(noise=0), one, 10)
    assert len({each.numpy().tobytes() for each in made.inputs}) == 10


def test_the_given_examples_stay_as_they_are():
    given = images(3, 8, 8)
    before = given.inputs.clone()
    augmented(Augmentation(), given, 20)
    assert torch.equal(given.inputs, before)


@pytest.mark.parametrize(("height", "width"), [(41, 41), (41, 61)])
def test_a_rotation_keeps_distances_and_stays_within_its_degrees(height, width):
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    given = Batch(disk(height=height, width=width, row=middle[0], column=middle[1] + 12), torch.zeros(1).long())
    made = augmented(replace(STILL, degrees=60), given, 40)
    offsets = np.array([center(image[None]) for image in made.inputs]) - middle
    angles = np.rad2deg(np.arctan2(offsets[:, 0], offsets[:, 1]))
    np.testing.assert_allclose(np.hypot(*offsets.T), 12, atol=0.2)
    assert 45 < np.abs(angles).max() < 61
    assert angles.min() < 0 < angles.max()


def test_a_shift_is_a_fraction_of_each_side_and_falls_between_pixels():
    given = Batch(disk(height=40, width=80, row=19.5, column=39.5), torch.zeros(1).long())
    made = augmented(replace(STILL, shift=0.2), given, 60)
    rows, columns = (np.array([center(image[None]) for image in made.inputs]) - (19.5, 39.5)).T
    assert 6 < np.abs(rows).max() < 8.1
    assert 12 < np.abs(columns).max() < 16.1
    assert np.abs(rows - rows.round()).max() > 0.3


def test_brightness_scales_an_image_and_contrast_its_distance_from_the_mean():
    given = images(1, 8, 8, number=1)
    given = Batch(
        torch.cat([0.4 + 0.1 * given.inputs, torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(-1, 1, 8, 8)]),
        torch.arange(3),
    )
    own = given.inputs[0]
    brighter, contrasted = (
        made.inputs[made.labels == 0]
        for made in (augmented(replace(STILL, **{name: 0.5}), given, 90) for name in ("brightness", "contrast"))
    )
    factors = (brighter / own).flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors))
    assert 0.5 <= factors.min() < 0.7 < 1.3 < factors.max() <= 1.5
    torch.testing.assert_close(contrasted.mean(dim=(1, 2, 3)), own.mean().expand(30))
    spread = contrasted.std(dim=(1, 2, 3)) / own.std()
    assert 0.5 <= spread.min() < 0.7 < 1.3 < spread.max() <= 1.5


def test_inputs_that_are_no_images_get_noise_in_deviations_of_each_feature():
    scales = torch.tensor([1.0, 100.0])
    features = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) * scales
    made = augmented(Augmentation(noise=0.1), Batch(features, torch.arange(400)), 400)
    added = made.inputs - features[made.labels]
    torch.testing.assert_close(added.std(dim=0), 0.1 * scales, rtol=0.15, atol=0)
    assert (made.inputs >= features.amin(dim=0)).all()
    assert (made.inputs <= features.amax(dim=0)).all()


def test_digits_stay_digits_for_a_model_to_learn_from():
    train = load("digits", size=8).train
    made = augmented(Augmentation(), Batch(train.inputs[:50], train.labels[:50]), 200)
    assert made.inputs.dtype == train.inputs.dtype
    assert torch.equal(made.labels.unique(), train.labels[:50].unique())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_examples_stay_on_their_device():
    given = images(3, 32, 32)
    made = augmented(Augmentation(), Batch(given.inputs.cuda(), given.labels.cuda()), 20)
    assert {part.device.type for part in made} == {"cuda"}
    torch.testing.assert_close(made.inputs.cpu(), augmented(Augmentation(), given, 20).inputs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", [field.name for field in fields(Augmentation)])
@pytest.mark.parametrize("strength", [-0.1, 1000.0, math.nan, math.inf])
def test_a_strength_that_means_nothing_is_refused_by_name(name, strength):
    with pytest.raises(ConfigError, match=f"augmentation.{name} is {strength}; it must be from 0 to"):
        Augmentation(**{name: strength})


def test_nothing_is_made_of_nothing():
    empty = Batch(torch.zeros(0, 1, 8, 8), torch.zeros(0).long())
    with pytest.raises(ConfigError, match="augmentation makes 3 of 0 examples; give at least one of each"):
        augmented(Augmentation(), empty, 3)
    with pytest.raises(ConfigError, match="augmentation makes 0 of 7 examples"):
        augmented(Augmentation(), images(1, 8, 8), 0)
