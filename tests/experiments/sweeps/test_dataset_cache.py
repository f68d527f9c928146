from dataclasses import replace

import pytest
import torch

from sparring.data import Dataset
from sparring.errors import PluginError
from sparring.experiments.config.build import load_dataset
from sparring.experiments.config.catalogues import CATALOGUES
from sparring.experiments.sweeps.dataset_cache import SharedData, map_dataset, save_dataset
from tests.data.examples import byte_images, dataset
from tests.experiments.small import small


@pytest.fixture
def shared(tmp_path):
    return SharedData(tmp_path / "gemeinsame Daten")


def refuse():
    pytest.fail("what is at hand is loaded again")


def same(one: Dataset, other: Dataset) -> bool:
    parts = [(one.train, other.train), (one.test, other.test), (one.validation, other.validation)]
    tensors = [pair for split in parts if None not in split for pair in zip(*split, strict=True)]
    facts = [replace(each, train=one.train, test=one.test, validation=None) for each in (one, other)]
    is_like = (one.validation is None) == (other.validation is None) and facts[0].__dict__ == facts[1].__dict__
    return is_like and all(torch.equal(a, b) and a.dtype == b.dtype for a, b in tensors)


@pytest.mark.parametrize("validation", [None, byte_images(3)])
def test_a_data_set_comes_back_as_it_was(tmp_path, validation):
    original = dataset(validation=validation, class_names=("a", "b", "c"))
    save_dataset(tmp_path / "data.safetensors", original)
    assert same(map_dataset(tmp_path / "data.safetensors"), original)


def test_another_data_set_is_told_apart():
    assert not same(dataset(), dataset(validation=byte_images(3)))
    assert not same(dataset(), dataset(name="other"))


def test_a_data_set_is_loaded_once(shared):
    original = dataset()
    assert same(shared({"name": "mine"}, lambda: original), original)
    assert same(shared({"name": "mine"}, refuse), original)
    assert same(SharedData(shared.folder)({"name": "mine"}, refuse), original)


def test_data_sets_with_other_options_are_others(shared):
    assert shared({"name": "mine", "seed": 0}, lambda: dataset(name="first")).name == "first"
    assert shared({"name": "mine", "seed": 1}, lambda: dataset(name="second")).name == "second"


def test_whoever_changes_examples_changes_them_for_nobody_else(shared):
    original = dataset()
    shared({"name": "mine"}, lambda: original).train.inputs.zero_()
    assert same(shared({"name": "mine"}, refuse), original)


def test_what_cannot_be_loaded_is_tried_again(shared):
    with pytest.raises(ZeroDivisionError):
        shared({"name": "mine"}, lambda: 1 // 0)
    assert shared({"name": "mine"}, dataset).name == dataset().name


def test_what_is_no_data_set_is_blamed_on_its_source(shared, monkeypatch):
    monkeypatch.setattr("sparring.data.Synthetic.load", lambda _: "examples")
    with pytest.raises(PluginError, match="data Synthetic loaded str; it must load a Dataset"):
        load_dataset(small(), replace(CATALOGUES, loaded=shared))


def test_a_run_gets_the_examples_that_it_would_load(shared):
    config = small("data.validation=0.1", "seed=3")
    assert same(load_dataset(config, replace(CATALOGUES, loaded=shared)), load_dataset(config))
