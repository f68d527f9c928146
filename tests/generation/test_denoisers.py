"""Generative models as denoisers: what they learn, and how they move perturbed images."""

import pytest
import torch
from safetensors.torch import load, save

from sparring.arrays import Batch
from sparring.errors import ConfigError
from sparring.generation import CVAE, DENOISERS, GAN, VAE
from sparring.generation.adversarial import distances
from sparring.generation.variational import build_coder, elbo_losses
from sparring.models.autoencoder import build_decoder, build_encoder, draw_tensors
from sparring.random import stream
from tests.minibatches import examples

MODELS = {"cvae": CVAE(epochs=15, lr=3e-3), "gan": GAN(epochs=15), "vae": VAE(epochs=15, lr=3e-3)}
QUICK = {"cvae": CVAE(epochs=1), "gan": GAN(epochs=1, starts=2, steps=2), "vae": VAE(epochs=1)}
NAMES = sorted(MODELS)
TRAIN, OTHERS = examples(0, 600), examples(900, 60)


@pytest.fixture(scope="module")
def memories():
    return {name: model.fit(TRAIN, stream(0, "fit")) for name, model in MODELS.items()}


def denoised(name, memory, batch, *, seed=0):
    return MODELS[name].denoise(memory, *batch, stream(seed, "denoise"))


def test_every_denoiser_is_tested_here_or_with_its_library():
    assert DENOISERS.keys() == MODELS.keys() | {"ddpm"}


@pytest.mark.parametrize("name", NAMES)
class TestEveryDenoiser:
    def test_is_nearer_to_new_images_than_their_mean_is(self, name, memories):
        mean = TRAIN.inputs.mean(dim=0).expand_as(OTHERS.inputs)
        made = denoised(name, memories[name], OTHERS)
        assert distances(made, OTHERS.inputs).mean() < 0.85 * distances(mean, OTHERS.inputs).mean()

    def test_moves_noisy_images_towards_the_clean_ones(self, name, memories):
        noise = torch.from_numpy(stream(0, "noise").standard_normal((60, 1, 12, 12)).astype("float32"))
        noisy = OTHERS._replace(inputs=(OTHERS.inputs + 0.35 * noise).clamp(0, 1))
        made = denoised(name, memories[name], noisy)
        assert distances(made, OTHERS.inputs).mean() < distances(noisy.inputs, OTHERS.inputs).mean()

    def test_returns_images_and_repeats_itself(self, name, memories):
        made, again = (denoised(name, memories[name], OTHERS) for _ in range(2))
        assert made.shape == OTHERS.inputs.shape
        assert made.min() >= 0
        assert made.max() <= 1
        assert not made.requires_grad
        assert torch.equal(made, again)

    def test_learns_the_same_again_and_without_the_global_generator(self, name):
        before = torch.random.get_rng_state()
        one, other = (QUICK[name].fit(TRAIN, stream(3, "fit")) for _ in range(2))
        assert all(torch.equal(one[key], other[key]) for key in one)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_leaves_inputs_and_memory_alone_and_survives_storage(self, name, memories):
        memory = {key: tensor.clone() for key, tensor in memories[name].items()}
        inputs = OTHERS.inputs.clone()
        made = denoised(name, memory, OTHERS)
        assert torch.equal(inputs, OTHERS.inputs)
        assert all(torch.equal(memory[key], memories[name][key]) for key in memory)
        assert torch.equal(made, denoised(name, load(save(dict(memory))), OTHERS))

    def test_needs_examples_and_images(self, name):
        with pytest.raises(ConfigError, match=f"^{name}: there are no examples to learn from; set data.validation"):
            QUICK[name].fit(examples(0, 0), stream(0))
        with pytest.raises(ConfigError, match=rf"^{name}: inputs of shape \[9\]; use images of at least 4×4 pixels$"):
            QUICK[name].fit(Batch(torch.zeros(5, 9), torch.zeros(5, dtype=torch.long)), stream(0))

    @pytest.mark.parametrize("option", ["epochs", "batch", "latent"])
    def test_names_a_count_below_one(self, name, option):
        with pytest.raises(ConfigError, match=f"^{name}: {option}=0; use {option} >= 1$"):
            type(MODELS[name])(**{option: 0})


class TestVariational:
    def test_the_bound_is_that_of_its_formula(self):
        coder = build_coder("vae", TRAIN.inputs, latent=2, classes=0)
        drawn = draw_tensors(coder.encoder, stream(0), prefix="encoder.")
        drawn |= draw_tensors(coder.decoder, stream(1), prefix="decoder.")
        batch, noise = examples(0, 3), torch.zeros(3, 2)
        mean, log_variance = coder.encode(drawn, batch)
        posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
        divergence = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
        shown = coder.decode(drawn, mean, batch).sigmoid()
        misses = -(batch.inputs * shown.log() + (1 - batch.inputs) * (1 - shown).log()).flatten(1).sum(dim=1)
        torch.testing.assert_close(elbo_losses(coder, drawn, batch, noise), misses + divergence)

    def test_a_conditional_model_makes_another_image_of_another_label(self, memories):
        wrong = OTHERS._replace(labels=(OTHERS.labels + 1) % 10)
        right, mistaken = (
            distances(denoised("cvae", memories["cvae"], each), OTHERS.inputs) for each in (OTHERS, wrong)
        )
        assert right.mean() < 0.9 * mistaken.mean()

    def test_a_label_that_it_has_not_seen_is_no_error(self):
        few = TRAIN.labels < 8
        memory = QUICK["cvae"].fit(Batch(TRAIN.inputs[few], TRAIN.labels[few]), stream(0))
        made = QUICK["cvae"].denoise(memory, *OTHERS, stream(0))
        assert (OTHERS.labels > 7).any()
        assert torch.isfinite(made).all()


class TestGan:
    def test_the_search_comes_nearer_with_steps(self, memories):
        misses = [
            distances(GAN(steps=steps).denoise(memories["gan"], *OTHERS, stream(0)), OTHERS.inputs)
            for steps in (0, 5, 20)
        ]
        assert (misses[1] <= misses[0]).all()
        assert misses[2].mean() < 0.9 * misses[0].mean()

    def test_more_starts_are_no_farther(self, memories):
        one, many = (
            distances(GAN(steps=0, starts=starts).denoise(memories["gan"], *OTHERS, stream(0)), OTHERS.inputs)
            for starts in (1, 16)
        )
        assert many.mean() < one.mean()


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 13, 10), (2, 4, 5)])
def test_a_decoder_makes_images_of_the_shape_that_an_encoder_reads(shape):
    for module, given, made in (
        (build_encoder(shape, 7), shape, (7,)),
        (build_decoder(7, shape), (7,), shape),
    ):
        module.to_empty(device="cpu").load_state_dict(draw_tensors(module, stream(0)))
        assert module(torch.zeros(2, *given)).shape == (2, *made)
