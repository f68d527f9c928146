"""Denoising diffusion through diffusers."""

import pytest
import torch

import sparring.integrations.diffusion as diffusion
from sparring.errors import ConfigError
from sparring.generation.adversarial import distances
from sparring.integrations.diffusion import DDPM
from sparring.random import stream
from tests.integrations.extras import needs
from tests.minibatches import examples

SMALL = DDPM(epsilon=3.0, timesteps=100, width=8, epochs=6, lr=3e-3)


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(diffusion, "find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r'^ddpm: diffusers is not installed; use pip install "sparring\[diffusion\]"$'
    ):
        SMALL.fit(examples(0, 10), stream(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps=0; use steps >= 1 and at most timesteps (500)"),
        ({"steps": 501}, "steps=501; use steps >= 1 and at most timesteps (500)"),
        ({"width": 6}, "width=6; use a positive multiple of 4"),
        ({"epsilon": 0.0}, "epsilon=0.0; use a finite epsilon > 0"),
    ],
)
def test_settings_are_checked(options, message):
    with pytest.raises(ConfigError) as caught:
        DDPM(**options)
    assert str(caught.value) == f"ddpm: {message}"


@pytest.fixture(scope="module")
def memory():
    return SMALL.fit(examples(0, 400), stream(0, "fit"))


@needs("diffusers")
class TestWithTheLibrary:
    def test_removes_part_of_the_noise_that_it_was_made_for(self, memory):
        clean = examples(900, 40)
        noise = torch.from_numpy(stream(0, "noise").standard_normal((40, 1, 12, 12)).astype("float32"))
        schedule = SMALL._schedule(clean.inputs)
        early = schedule.add_noise(clean.inputs, noise, torch.full((40,), 10))
        seen = diffusion.predict_noise(SMALL._network(1), memory, early, torch.full((40,), 10))
        assert (seen - noise).square().mean() < 0.7 * noise.square().mean()

    def test_repeats_itself_without_the_global_generator(self, memory):
        before = torch.random.get_rng_state()
        batch = examples(900, 20)
        one, other = (SMALL.denoise(memory, *batch, stream(1)) for _ in range(2))
        assert one.shape == batch.inputs.shape
        assert torch.isfinite(one).all()
        assert torch.equal(one, other)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_an_input_that_is_noised_first_becomes_another_image(self, memory):
        batch = examples(900, 20)
        noised = DDPM(epsilon=3.0, timesteps=100, width=8, noised=True)
        assert distances(noised.denoise(memory, *batch, stream(1)), SMALL.denoise(memory, *batch, stream(1))).min() > 0

    def test_images_of_any_side_are_accepted(self):
        odd = examples(0, 10)
        odd = odd._replace(inputs=odd.inputs[..., :11, :9])
        quick = DDPM(timesteps=20, width=4, epochs=1)
        assert quick.denoise(quick.fit(odd, stream(0)), *odd, stream(0)).shape == odd.inputs.shape

    def test_a_bound_that_gives_no_noise_is_named(self):
        with pytest.raises(ConfigError, match="^ddpm: epsilon=0.01 gives noise of variance"):
            DDPM(epsilon=0.01).fit(examples(0, 10), stream(0))
