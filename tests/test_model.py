"""A model as a file and as tensors with names: what a torch module takes, and no pickle."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from sparring.contracts import Model
from sparring.data import Synthetic
from sparring.defenses import NeuroClip, Smoothing
from sparring.errors import ConfigError, WrongKind
from sparring.models import Logistic, Mlp, network
from sparring.random import stream
from tests.settings import clouds

DATA = clouds()
INPUTS = DATA.test.inputs


def own_module() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


@pytest.fixture
def model() -> Model:
    fitted = network(own_module(), DATA)
    return Model(fitted, torch.linspace(-1, 1, fitted.size))


def test_a_saved_model_answers_as_before(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    loaded = Model.load(str(tmp_path / "model.safetensors"), network(own_module(), DATA))
    assert torch.equal(loaded.parameters, model.parameters)
    assert torch.equal(loaded(INPUTS), model(INPUTS))


def test_a_torch_module_takes_the_state(model):
    module = own_module()
    module.load_state_dict(model.state_dict())
    torch.testing.assert_close(module(model.network.normalize(INPUTS)), model(INPUTS))


def test_the_state_is_a_copy(model):
    before = model.parameters.clone()
    for tensor in model.state_dict().values():
        tensor.zero_()
    assert torch.equal(model.parameters, before)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_module_s_frozen_layers_are_part_of_the_state(frozen, tmp_path):
    module = own_module()
    module[0].requires_grad_(not frozen)
    fitted = network(module, DATA)
    model = Model(fitted, fitted.initial(stream(0, "model")))
    assert model.state_dict().keys() == module.state_dict().keys()
    model.save(tmp_path / "model.safetensors")
    copied = own_module()
    copied.load_state_dict(load_file(tmp_path / "model.safetensors"))
    torch.testing.assert_close(copied(fitted.normalize(INPUTS)), model(INPUTS))
    assert torch.equal(Model.load(tmp_path / "model.safetensors", fitted)(INPUTS), model(INPUTS))


def test_what_other_software_saved_is_loaded(tmp_path):
    module = own_module()
    save_file(module.state_dict(), tmp_path / "weights.safetensors")
    loaded = Model.load(tmp_path / "weights.safetensors", network(own_module(), DATA))
    torch.testing.assert_close(loaded(INPUTS), module(loaded.network.normalize(INPUTS)))


@pytest.mark.parametrize("repair", [NeuroClip(), Smoothing(votes=2)])
def test_a_repaired_model_has_a_state(model, repair):
    repaired = repair.repair(model, root=None, rng=stream(0, "repair"))
    assert repaired.state_dict().keys() == own_module().state_dict().keys()


def test_a_file_of_another_network_is_refused(model, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    with pytest.raises(ConfigError, match=r"differ in '0.bias'; give the network that was saved"):
        Model.load(path, network(nn.Linear(4, 3), DATA))
    wider = network(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), DATA)
    with pytest.raises(ConfigError, match=r"'0.weight' is of shape \[5, 4\]; the network has \[6, 4\]"):
        Model.load(path, wider)
    with pytest.raises(WrongKind, match="load: network is Mlp, an architecture; fit it to the data"):
        Model.load(path, Mlp())


def test_a_file_of_a_model_with_another_normalization_is_refused(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    moved = replace(DATA, mean=(5.0,))
    with pytest.raises(ConfigError, match=r"is of a model with .*'mean'.*; this network has .*'mean': \[5.0\]"):
        Model.load(tmp_path / "model.safetensors", network(own_module(), moved))


def test_what_is_no_file_of_tensors_is_refused_in_one_line(tmp_path):
    fitted = network(Logistic(), Synthetic().load())
    (tmp_path / "pickle").write_bytes(b"\x80\x04}\x94\x8c\x06weight\x94K\x01s.")
    (tmp_path / "torch.pt").write_bytes(b"PK\x03\x04" + bytes(64))
    (tmp_path / "empty").touch()
    for name in ("pickle", "torch.pt", "empty", "."):
        with pytest.raises(ConfigError, match="is not a safetensors file; give one that Model.save wrote"):
            Model.load(tmp_path / name, fitted)
    with pytest.raises(ConfigError, match="there is no file .*missing"):
        Model.load(tmp_path / "missing", fitted)
