from typing import NamedTuple

import pytest
import torch

from sparring.arrays import Batch, pixels
from sparring.attacks import PoisonedTraining
from sparring.conformance import conformance
from sparring.contracts import Model
from sparring.data import load, root_sample
from sparring.defenses import POST_TRAINING
from sparring.errors import ConfigError
from sparring.experiments import parse_config, to_document
from sparring.experiments.config.catalogues import CATALOGUES
from sparring.inversion import Unlearning, reverse_triggers, suspicious
from sparring.models import Mlp, network
from sparring.random import stream
from sparring.registry import build
from sparring.training import gradient
from tests.inversion.planted import SIDE, USUAL, black, planted

BACKDOOR = PoisonedTraining(target=2, ratio=0.3)
DIGITS = load("digits")
ROOT = Batch(*(part[root_sample(DIGITS.train.labels, size=100, rng=stream(0, "root"))] for part in DIGITS.train))


class White:
    """Makes an image white."""

    def stamp(self, images):
        return torch.ones_like(images)


class Measured(NamedTuple):
    accuracy: float
    backdoor: float


def trained(*, poisoned):
    """Return a model of the digits, with a backdoor or without."""
    rng, net = stream(0, "digits"), network(Mlp(), DIGITS)
    parameters = net.initial(rng)
    for _ in range(300):
        rows = torch.from_numpy(rng.integers(len(DIGITS.train.labels), size=64))
        batch = Batch(pixels(DIGITS.train.inputs[rows]), DIGITS.train.labels[rows])
        shown = BACKDOOR.poison(batch, client=0, rng=rng) if poisoned else batch
        parameters = parameters - 0.1 * gradient(net, parameters, batch=shown)
    return Model(net, parameters)


def measured(model):
    inputs, labels = DIGITS.test
    meant, triggered = BACKDOOR.meant(labels), BACKDOOR.triggered(DIGITS.test)
    right = (model(inputs).argmax(dim=1) == labels).double().mean().item()
    return Measured(right, (model(triggered.inputs[meant]).argmax(dim=1) == 2).double().mean().item())


@pytest.fixture(scope="module")
def backdoored():
    return trained(poisoned=True)


def test_the_target_of_a_backdoor_is_found_and_unlearned(backdoored):
    before = measured(backdoored)
    assert before.backdoor > 0.9
    triggers = suspicious(reverse_triggers(backdoored, ROOT, rng=stream(0, "reversal")))
    assert [trigger.target for trigger in triggers] == [2]
    after = measured(Unlearning().unlearn(backdoored, triggers, root=ROOT, rng=stream(0, "unlearning")))
    assert after.backdoor < 0.2
    assert after.accuracy > before.accuracy - 0.1


def test_a_repair_does_both(backdoored):
    repaired = Unlearning().repair(backdoored, root=ROOT, rng=stream(0, "repair"))
    assert measured(repaired).backdoor < 0.2


def test_a_model_without_a_backdoor_stays_as_it_is():
    model = trained(poisoned=False)
    repaired = Unlearning().repair(model, root=ROOT, rng=stream(0, "repair"))
    torch.testing.assert_close(repaired.parameters, model.parameters, rtol=0, atol=0)


def test_a_share_of_the_examples_carries_a_trigger_and_all_keep_their_labels():
    root = black(100)._replace(labels=torch.arange(100) % 4)
    seen = list(Unlearning(share=0.2, steps=40, batch=50)._minibatches(root, [White()], rng=stream(0, "share")))
    white = torch.stack([batch.inputs.flatten(1).amin(dim=1) == 1 for batch in seen])
    assert white.double().mean().item() == pytest.approx(0.2, abs=0.03)
    assert all(batch.labels.bincount(minlength=4).sum() == 50 for batch in seen)
    assert {tuple(sorted(batch.labels.unique().tolist())) for batch in seen} == {(0, 1, 2, 3)}


def test_several_triggers_share_what_carries_one():
    class Gray(White):
        def stamp(self, images):
            return torch.full_like(images, 0.5)

    seen = Unlearning(share=1.0, steps=40, batch=50)._minibatches(black(50), [White(), Gray()], rng=stream(0, "share"))
    white = torch.stack([batch.inputs.flatten(1).amin(dim=1) == 1 for batch in seen])
    assert white.double().mean().item() == pytest.approx(0.5, abs=0.05)


def test_one_step_follows_the_gradient_on_images_with_the_trigger():
    model, root = planted(), black()
    after = Unlearning(share=1.0, steps=1, lr=0.5).unlearn(model, [White()], root=root, rng=stream(0, "one"))
    shown = Batch(torch.ones(8, 1, SIDE, SIDE), torch.full((8,), USUAL))
    expected = model.parameters - 0.5 * gradient(model.network, model.parameters, batch=shown)
    torch.testing.assert_close(after.parameters, expected)
    torch.testing.assert_close(root.inputs, black().inputs, rtol=0, atol=0)


def test_without_root_data_nothing_can_be_unlearned():
    with pytest.raises(ConfigError, match="unlearning needs root data; use data.root_size >= 1"):
        Unlearning().repair(planted(), root=None, rng=stream(0, "repair"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": float("nan")}, "unlearning.threshold is nan; it must be at least 0"),
        ({"share": 0.0}, "unlearning.share is 0.0; it must be above 0 and at most 1"),
        ({"lr": 0.0}, "unlearning.lr is 0.0; it must be positive and finite"),
        ({"steps": 0}, "unlearning.steps is 0; it must be at least 1"),
        ({"success": 1.5}, "unlearning.success is 1.5; it must be above 0 and at most 1"),
        ({"search_steps": 0}, "unlearning.search_steps is 0; it must be at least 1"),
        ({"batch": 0}, "unlearning.batch is 0; it must be at least 1"),
    ],
)
def test_unlearning_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Unlearning(**settings)


def test_it_is_a_post_training_defense_of_the_catalogue():
    section = {"name": "unlearning", "steps": 3, "search_steps": 20}
    assert build("post_training", CATALOGUES["post-training"], section) == Unlearning(steps=3, search_steps=20)
    described = to_document(parse_config({"post_training": section}))["post_training"]
    assert described == {
        **section,
        "threshold": 2.0,
        "success": 0.99,
        "share": 0.2,
        "batch": 32,
        "lr": 0.05,
    }
    assert to_document(parse_config({"post_training": described}))["post_training"] == described


def test_it_is_the_only_post_training_defense_that_is_not_in_the_table_of_the_defenses():
    assert CATALOGUES["post-training"].keys() - POST_TRAINING.keys() == {"unlearning"}


def test_it_conforms():
    rule = Unlearning(threshold=0.5, success=0.1, steps=2, search_steps=10)
    assert [finding for finding in conformance(rule) if finding.failures] == []
