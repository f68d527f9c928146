import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.distribution import Denoising, train_denoiser
from sparring.random import stream
from tests.learning.distribution.federations import examples

TRAINING = Denoising(steps=200, width=16, lr=1e-2)


def trained(images=None, training=TRAINING):
    clean = examples().inputs if images is None else images
    return train_denoiser(clean, rng=stream(0, "denoising"), training=training)


@pytest.fixture(scope="module")
def denoiser():
    return trained()


def noisy(images):
    noise = torch.from_numpy(stream(1, "noise").standard_normal(images.shape)).float()
    return (images + 0.3 * noise).clamp(0, 1)


def test_it_takes_noise_out_of_images(denoiser):
    clean = examples().inputs
    before, after = ((each - clean).square().mean() for each in (noisy(clean), denoiser.clean(noisy(clean))))
    assert after < before / 2


def test_what_it_returns_are_images(denoiser):
    cleaned = denoiser.clean(torch.rand(1500, 1, 6, 6, generator=torch.Generator().manual_seed(0)))
    assert cleaned.shape == (1500, 1, 6, 6)
    assert 0 <= cleaned.min() <= cleaned.max() <= 1
    assert not cleaned.requires_grad


def test_images_may_be_bytes(denoiser):
    in_bytes = (255 * examples().inputs).round().to(torch.uint8)
    torch.testing.assert_close(denoiser.clean(in_bytes), denoiser.clean(in_bytes.float() / 255))


def test_equal_streams_give_equal_denoisers(denoiser):
    torch.testing.assert_close(trained().clean(examples().inputs), denoiser.clean(examples().inputs), rtol=0, atol=0)


def test_the_clean_images_are_left_alone():
    images = examples().inputs
    trained(images, Denoising(steps=3))
    torch.testing.assert_close(images, examples().inputs, rtol=0, atol=0)


def test_without_images_there_is_nothing_to_learn():
    with pytest.raises(ConfigError, match="denoising: there are no clean images; give at least 1"):
        trained(torch.empty(0, 1, 6, 6))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": 0.0}, "denoising.noise is 0.0; it must be positive and finite"),
        ({"lr": float("inf")}, "denoising.lr is inf"),
        ({"steps": 0}, "denoising.steps is 0; it must be at least 1"),
        ({"batch": 0}, "denoising.batch is 0"),
        ({"width": 0}, "denoising.width is 0"),
    ],
)
def test_settings_that_teach_nothing_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Denoising(**settings)
