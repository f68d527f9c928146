import pickle  # noqa: TID251  (to see it refused)

import pytest
import torch

from sparring.arrays import pixels
from sparring.errors import RunError
from sparring.experiments import apply_overrides, load_model, load_plugins, parse_config, run
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.runs.saved_model import NAME
from sparring.random import stream
from tests.experiments.plugging import write_plugin
from tests.experiments.small import SETTINGS, small


def test_the_model_of_a_run_is_loaded_without_its_data(tmp_path, monkeypatch):
    outcome = run(small(), tmp_path / "run")
    dataset = load_dataset(small())
    monkeypatch.setattr("sparring.data.Synthetic.load", lambda _: pytest.fail("the data was read"))
    model = load_model(str(outcome.folder))
    hits = model(pixels(dataset.test.inputs)).argmax(dim=1) == dataset.test.labels
    assert hits.double().mean().item() == outcome.result["accuracy"]


@pytest.mark.parametrize(
    "content",
    [None, b"", b"\x08" + bytes(7) + b"{}      ", pickle.dumps(torch.nn.Linear), bytes(100)],
    ids=["missing", "empty", "bare", "pickle", "zeros"],
)
def test_what_is_no_model_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / NAME).write_bytes(content)
    with pytest.raises(RunError, match="model.safetensors holds no model of a run; give the folder of a run"):
        load_model(tmp_path)


TUNED = '''
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class Tuned:
    """A head to be trained on a frozen body; the same parameter is there under two names."""

    initial: Literal["pretrained", "random"] = "random"
    scale: float = 1.0

    def module(self, shape, classes):
        body, head = nn.Linear(*shape, *shape), nn.Linear(*shape, classes)
        nn.init.eye_(body.weight).data.mul_(self.scale)
        nn.init.eye_(head.weight)
        again = nn.Linear(*shape, *shape, bias=False)
        again.weight = body.weight
        return nn.Sequential(body.requires_grad_(False), again, head)


MODELS = {"tuned": Tuned}
'''


@pytest.fixture
def tuned(tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch, TUNED, "my_tuned")
    return load_plugins(["my_tuned"])


def test_a_saved_model_has_what_is_frozen_too(tmp_path, tuned):
    config = parse_config(apply_overrides({}, (*SETTINGS, "model.name=tuned", "model.scale=2.0")), tuned)
    run(config, tmp_path / "run", catalogues=tuned)
    # Whatever the class makes of its body by then.
    later = TUNED.replace("data.mul_(self.scale)", "data.mul_(9)")
    (tmp_path / "my_later.py").write_text(later, encoding="utf-8")
    model = load_model(tmp_path / "run", load_plugins(["my_later"]))
    assert model.network.constants["0.weight"].equal(2 * torch.eye(6))
    assert model.network.layers.keys() == {"2"}
    assert model(torch.rand(3, 6)).isfinite().all()


def test_a_model_starts_as_its_section_says(tmp_path, tuned):
    starts = {}
    for initial in ("pretrained", "random"):
        config = parse_config(apply_overrides({}, (*SETTINGS, "model.name=tuned", f"model.initial={initial}")), tuned)
        network = build_scenario(config, load_dataset(config), catalogues=tuned).federation.network
        starts[initial] = network.split(network.initial(stream(0, "model")))[0]
    assert starts["pretrained"].equal(torch.eye(4, 6))
    assert not starts["random"].equal(starts["pretrained"])
