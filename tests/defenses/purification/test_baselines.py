"""What holds for every baseline defense of minibatches, and what each of them achieves by its own measure."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load, save

from sparring.arrays import Batch
from sparring.contracts import InputDenoiser, Preparing, Purification, Purified
from sparring.defenses import (
    PURIFICATIONS,
    CropEnsemble,
    CutMix,
    Dropout,
    GenerativeDenoising,
    PurificationChain,
    ValidationTraining,
)
from sparring.defenses.purification.crop_ensemble import crop_and_rescale
from sparring.defenses.purification.cut_mix import draw_box, mix
from sparring.defenses.purification.dropout import draw_mask, drop_units
from sparring.errors import ConfigError
from sparring.generation import CVAE, DENOISERS
from sparring.models import Logistic, network
from sparring.random import stream
from sparring.registry import build
from sparring.training.bounds import row_sizes
from tests.minibatches import digits, examples, fitted, preparation, trained, view


class MeanImage:
    """A denoiser that knows nothing but the mean of its examples."""

    def fit(self, examples, rng):
        return {"mean": examples.inputs.mean(dim=0)}

    def denoise(self, memory, inputs, labels, rng):
        return memory["mean"].expand_as(inputs)


EXAMPLES = {
    "chain": PurificationChain(GenerativeDenoising(MeanImage(), epsilon=0.5), CutMix(probability=1)),
    "crop_ensemble": CropEnsemble(side=0.8),
    "cut_mix": CutMix(probability=1, validation=5),
    "dropout": Dropout(),
    "generative": GenerativeDenoising(MeanImage(), epsilon=0.5),
    "validation_training": ValidationTraining(),
}
NAMES = sorted(EXAMPLES)


def start(defense):
    return defense.prepare(preparation(train=None)) if isinstance(defense, Preparing) else {}


def purified(defense, *, seed=0):
    return defense.purify(view(seed=seed, examples=None), start(defense))


def outputs(result):
    own = result.network or fitted()
    return own.forward(own.split(trained()), result.batch.inputs)


def test_every_defense_that_does_not_reason_has_an_example():
    assert EXAMPLES.keys() == PURIFICATIONS.keys() - {"level_k", "none"}


def test_a_configuration_names_members_and_denoisers():
    families = {InputDenoiser: DENOISERS, Purification: PURIFICATIONS}
    section = {
        "name": "chain",
        "first": {"name": "generative", "denoiser": {"name": "cvae", "latent": 5}, "epsilon": 2.0},
        "second": "cut_mix",
    }
    built = build("defense", PURIFICATIONS, section, families=families)
    assert built == PurificationChain(GenerativeDenoising(CVAE(latent=5), epsilon=2.0), CutMix())


@pytest.mark.parametrize("name", NAMES)
class TestEveryBaseline:
    def test_returns_pixels_with_a_label_for_each(self, name):
        (batch, _), _ = purified(EXAMPLES[name])
        assert len(batch.inputs) == len(batch.labels)
        assert batch.inputs.min() >= 0
        assert batch.inputs.max() <= 1
        assert batch.inputs.dtype == torch.float32

    def test_leaves_the_minibatch_and_the_model_alone(self, name):
        at = view(examples=None)
        watched = (*at.batch, *at.validation, at.parameters)
        copies = [tensor.clone() for tensor in watched]
        EXAMPLES[name].purify(at, start(EXAMPLES[name]))
        assert all(map(torch.equal, copies, watched))

    def test_repeats_itself_without_the_global_generator(self, name):
        before = torch.random.get_rng_state()
        (one, memory), (other, again) = (purified(EXAMPLES[name]) for _ in range(2))
        assert all(map(torch.equal, one.batch, other.batch))
        assert torch.equal(outputs(one), outputs(other))
        assert memory.keys() == again.keys()
        assert torch.equal(before, torch.random.get_rng_state())

    def test_continues_from_a_memory_that_was_stored(self, name):
        _, memory = purified(EXAMPLES[name])
        stored = load(save(dict(memory)))
        (one, _), (other, _) = (EXAMPLES[name].purify(view(seed=7), state) for state in (memory, stored))
        assert torch.equal(outputs(one), outputs(other))


class TestGenerative:
    def test_moves_each_input_towards_the_image_that_is_made_by_at_most_epsilon(self):
        at, defense = view(), EXAMPLES["generative"]
        memory = start(defense)
        (batch, _), _ = defense.purify(at, memory)
        changes = batch.inputs - at.batch.inputs
        wanted = memory["mean"] - at.batch.inputs
        assert row_sizes(changes).flatten().tolist() == pytest.approx([0.5] * 40, rel=1e-4)
        assert torch.cosine_similarity(changes.flatten(1), wanted.flatten(1)).min() > 0.999
        assert batch.labels is at.batch.labels

    def test_follows_a_near_image_all_the_way(self):
        defense = GenerativeDenoising(MeanImage(), epsilon=100.0)
        (batch, _), memory = purified(defense)
        torch.testing.assert_close(batch.inputs, memory["mean"].expand_as(batch.inputs))

    def test_must_be_prepared(self):
        with pytest.raises(ConfigError, match="^generative: its denoiser is not trained; call prepare"):
            EXAMPLES["generative"].purify(view(), {})

    def test_settings_are_checked(self):
        with pytest.raises(ConfigError, match="^generative: epsilon=0; use a finite epsilon > 0$"):
            GenerativeDenoising(MeanImage(), epsilon=0)
        with pytest.raises(ConfigError, match="^generative: norm='l1'; use 'l2' or 'linf'$"):
            GenerativeDenoising(MeanImage(), norm="l1")


class TestCutMix:
    def test_label_weights_equal_areas(self):
        black, white = torch.zeros(1, 1, 12, 12), torch.ones(1, 1, 12, 12)
        batch = Batch(torch.cat([black, white]), torch.eye(2))
        for seed in range(20):
            box = draw_box(12, 12, share=stream(seed, "share").random(), rng=stream(seed, "box"))
            mixed = mix(batch, partners=torch.tensor([1, 0]), box=box)
            share = mixed.inputs.mean(dim=(1, 2, 3))
            torch.testing.assert_close(mixed.labels[:, 1], share)
            torch.testing.assert_close(mixed.labels.sum(dim=1), torch.ones(2))

    def test_boxes_have_about_the_share_unless_the_edge_cuts_them(self):
        areas = []
        for seed in range(200):
            rows, columns = draw_box(100, 60, share=0.25, rng=stream(seed))
            areas.append((rows.stop - rows.start) * (columns.stop - columns.start) / 6000)
        assert max(areas) == pytest.approx(0.25, abs=0.01)
        assert min(areas) < 0.15

    def test_mixes_training_and_validation_examples(self):
        (batch, own), _ = purified(CutMix(probability=1, validation=7))
        assert own is None
        assert len(batch.labels) == 47
        assert batch.labels.shape == (47, 10)
        torch.testing.assert_close(batch.labels.sum(dim=1), torch.ones(47))
        assert ((batch.labels > 0).sum(dim=1) == 2).float().mean() > 0.5

    def test_leaves_the_stated_share_of_minibatches_as_they_are(self):
        kept = 0
        for seed in range(60):
            (batch, _), _ = CutMix(probability=0.3).purify(view(seed=seed), {})
            kept += torch.equal(batch.inputs, view().batch.inputs)
        assert 30 <= kept <= 54

    def test_settings_are_checked(self):
        with pytest.raises(ConfigError, match="^cut_mix: probability=1.5; use a probability from 0 to 1$"):
            CutMix(probability=1.5)
        with pytest.raises(ConfigError, match="^cut_mix: validation=-1; use validation >= 0$"):
            CutMix(validation=-1)
        vectors = view(batch=examples(0, 40)._replace(inputs=torch.zeros(40, 144)))
        with pytest.raises(ConfigError, match=r"^cut_mix: inputs of shape \[144\]; use images$"):
            CutMix(probability=1).purify(vectors, {})


class TestCropEnsemble:
    def test_a_crop_as_large_as_the_image_is_the_image(self):
        inputs = examples(0, 10).inputs
        torch.testing.assert_close(crop_and_rescale(inputs, side=1.0, rng=stream(0)), inputs, rtol=0, atol=1e-5)

    def test_crops_of_a_ramp_are_as_steep_as_their_side_and_lie_within_it(self):
        ramp = torch.linspace(0, 1, 100).expand(50, 1, 100, 100)
        crops = crop_and_rescale(ramp, side=0.4, rng=stream(0))
        slopes = (crops[:, 0, 50, 90] - crops[:, 0, 50, 10]) / (ramp[:, 0, 50, 90] - ramp[:, 0, 50, 10])
        torch.testing.assert_close(slopes, torch.full((50,), 0.4), rtol=0, atol=1e-3)
        starts = crops[:, 0, 50, 0]
        assert starts.min() < 0.1
        assert starts.max() > 0.5
        assert starts.max() < 0.61

    def test_each_example_gives_the_stated_number_of_crops(self):
        (batch, _), _ = purified(CropEnsemble(side=0.5, crops=3))
        assert torch.equal(batch.labels, view().batch.labels.repeat_interleave(3))
        assert not torch.equal(batch.inputs[0], batch.inputs[1])

    def test_settings_are_checked(self):
        with pytest.raises(ConfigError, match="^crop_ensemble: side=0; use a fraction above 0 and at most 1$"):
            CropEnsemble(side=0)
        with pytest.raises(ConfigError, match="^crop_ensemble: crops=0; use crops >= 1$"):
            CropEnsemble(crops=0)


class TestDropout:
    def test_masks_keep_the_expectation_and_drop_the_stated_share(self):
        mask = draw_mask(torch.Size([400, 500]), rate=0.3, rng=stream(0), like=torch.zeros(()))
        # Five standard errors for 200 000 draws.
        assert (mask == 0).float().mean() == pytest.approx(0.3, abs=5 * (0.21 / 200_000) ** 0.5)
        assert mask.mean() == pytest.approx(1.0, abs=5 * (0.3 / 0.7 / 200_000) ** 0.5)
        assert mask.unique().tolist() == pytest.approx([0, 1 / 0.7])

    def test_a_layer_behind_the_dropped_units_keeps_its_expectation(self):
        own, inputs = fitted(), examples(0, 1).inputs
        whole = own.forward(own.split(trained()), inputs)
        many = inputs.expand(20_000, -1, -1, -1)
        dropped = drop_units(own, rate=0.2, rng=stream(0))
        logits = dropped.forward(dropped.split(trained()), many)
        errors = logits.std(dim=0) / 20_000**0.5
        assert logits.std(dim=0).min() > 0.05
        assert ((logits.mean(dim=0) - whole[0]).abs() < 5 * errors).all()

    @pytest.mark.parametrize("name", ["mlp", "lenet"])
    def test_the_network_has_the_same_parameters_and_repeats_itself(self, name):
        own, parameters, inputs = fitted(name), trained(name), examples(0, 8).inputs
        dropped = drop_units(own, rate=0.2, rng=stream(0))
        assert dropped.names == own.names
        assert dropped.size == own.size
        one, other = (dropped.forward(dropped.split(parameters), inputs) for _ in range(2))
        assert torch.equal(one, other)
        assert not torch.equal(one, own.forward(own.split(parameters), inputs))

    def test_each_round_drops_other_units(self):
        one, other = (outputs(purified(Dropout(), seed=seed)[0]) for seed in (0, 1))
        assert not torch.equal(one, other)

    def test_nothing_is_dropped_at_rate_zero(self):
        (batch, own), _ = purified(Dropout(rate=0.0))
        assert torch.equal(outputs(Purified(batch, own)), outputs(Purified(batch)))

    def test_settings_are_checked(self):
        with pytest.raises(ConfigError, match="^dropout: rate=1.0; use rate >= 0 and below 1$"):
            Dropout(rate=1.0)
        with pytest.raises(ConfigError, match="^dropout: the model has no hidden activations; use one with a hidden"):
            Dropout().purify(view(network=network(Logistic(), digits())), {})


class TestValidationTraining:
    def test_trains_on_different_validation_examples_alone(self):
        (batch, _), _ = purified(ValidationTraining())
        known = {image.numpy().tobytes() for image in view().validation.inputs}
        drawn = [image.numpy().tobytes() for image in batch.inputs]
        assert len(set(drawn)) == 40
        assert known.issuperset(drawn)

    def test_takes_all_if_there_are_fewer_than_a_minibatch(self):
        (batch, _), _ = ValidationTraining().purify(view(validation=examples(900, 7)), {})
        assert sorted(batch.labels.tolist()) == sorted(examples(900, 7).labels.tolist())

    @pytest.mark.parametrize("defense", [ValidationTraining(), CutMix(validation=3)])
    def test_needs_validation_examples(self, defense):
        with pytest.raises(ConfigError, match="there are no validation examples to train on; set data.validation"):
            defense.purify(view(validation=examples(0, 0)), {})


class TestChain:
    def test_does_what_its_members_do_one_after_the_other(self):
        at, (first, second) = view(seed=4), (CropEnsemble(side=0.8), CutMix(probability=1))
        (whole, _), _ = PurificationChain(first, second).purify(at, {})
        again = view(seed=4)
        one, _ = first.purify(again, {})
        other, _ = second.purify(replace(again, batch=one.batch), {})
        assert all(map(torch.equal, whole, other.batch))

    def test_keeps_memories_and_networks_of_nested_members(self):
        inner = PurificationChain(CutMix(probability=1), GenerativeDenoising(MeanImage(), epsilon=0.5))
        defense = PurificationChain(Dropout(), inner)
        memory = start(defense)
        assert memory.keys() == {"second.second.mean"}
        result, after = defense.purify(view(), memory)
        assert after.keys() == memory.keys()
        assert result.network is not None
        assert result.batch.labels.shape == (40, 10)
