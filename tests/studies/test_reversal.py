"""The study of reversed triggers: its page says what was found, and its picture shows it."""

import pytest
import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.experiments.sweeps import plan_sweep
from sparring.inversion import ReversedTrigger
from sparring.models import Logistic, network
from studies.reversal import BACKDOOR, Case, Measured, document, draw, measured, written
from tests.inversion.planted import Facts

CLASSES, SHAPE = 10, (1, 28, 28)


def trigger(target, pixels):
    mask = torch.zeros(SHAPE)
    mask.view(-1)[:pixels] = 1
    return ReversedTrigger(target, mask, torch.ones(SHAPE), success=1.0, found=True)


def case(attack, *, small=None):
    sizes = {target: 60 + target for target in range(CLASSES)} | ({} if small is None else {small: 9})
    triggers = [trigger(target, pixels) for target, pixels in sizes.items()]
    model = Measured(0.95, 0.9)
    return Case({"attack": attack, "seed": "7"}, triggers, 12.3, model, Measured(0.91, 0.02), model)


def test_the_study_is_of_five_models_with_a_backdoor_and_five_without():
    cells = plan_sweep(document()).cells
    assert [cell.labels["attack"] for cell in cells] == ["none"] * 5 + ["BFL"] * 5
    assert all(cell.config.data.root_size == 100 for cell in cells)


def test_the_page_counts_what_was_found():
    page = written([case("none"), case("none", small=4), case("BFL", small=2), case("BFL", small=3), case("BFL")])
    assert "is suspicious in 1 of 3 backdoored models; no class is in 1\nof 2 clean ones" in page
    assert "| BFL | 7 | 0.950 | 0.900 | 2 | 9.0 | 2 |" in page
    assert "| none | 7 | 0.950 | 0.900 | – | 60.0 | 0 |" in page
    assert page.count("| 7 | 0.950 / 0.900 | 0.910 / 0.020 | 0.950 / 0.900 |") == 3


def test_a_model_is_measured_on_images_that_the_trigger_is_meant_for():
    size = 28 * 28
    weights, biases = torch.zeros(CLASSES, size), torch.zeros(CLASSES)
    weights[BACKDOOR.target, 0], biases[1] = 20, 10
    model = Model(network(Logistic(), Facts(SHAPE, CLASSES)), torch.cat([weights.flatten(), biases]))
    labels = torch.tensor([1, 1, 1, BACKDOOR.target])
    assert measured(model, on=Batch(torch.zeros(4, *SHAPE), labels)) == pytest.approx((0.75, 1.0))


def test_the_picture_is_drawn_the_same_twice():
    pictures = [draw({"seed 7": trigger(2, 9)}, shape=SHAPE) for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")
