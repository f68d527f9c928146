"""What every post-training defense does."""

import pytest
import torch
from torch import nn

from sparring import defenses
from sparring.arrays import Batch
from sparring.conformance.check import failures
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Checking, Model
from sparring.defenses import CLP, MMBM, POST_TRAINING, FinePruning, NeuroClip, NoRepair, Prun, Smoothing
from sparring.errors import ConfigError, UnknownName
from sparring.inversion import TriggerReversal, reverse_triggers
from sparring.models import Cnn, Cnn7, LeNet, Logistic, Mlp, ResNet18
from sparring.random import stream
from sparring.registry import build
from tests.defenses.post_training.models import examples, started
from tests.settings import Facts

EXAMPLES = {
    "clp": CLP(u=1.0),
    "fine_pruning": FinePruning(steps=3, batch=4),
    "mm_bm": MMBM(steps=20),
    "neuroclip": NeuroClip(bound=0.5),
    "none": NoRepair(),
    "prun": Prun(share=0.6),
    "smoothing": Smoothing(noise=0.2, votes=5),
}
MODELS = {
    "cnn": (Cnn(width=4), Facts()),
    "elu": (Cnn(width=4, activation="elu"), Facts()),
    "cnn7": (Cnn7(), Facts(shape=(3, 8, 8), mean=(0.5,) * 3, std=(0.2,) * 3)),
    "lenet": (LeNet(), Facts()),
    "mlp": (Mlp(hidden=12), Facts()),
    "resnet18": (ResNet18(width=4), Facts()),
}

every = pytest.mark.parametrize("rule", EXAMPLES.values(), ids=EXAMPLES)
anywhere = pytest.mark.parametrize(("architecture", "facts"), MODELS.values(), ids=MODELS)


def repaired(rule, model, root, *, seed=0):
    return rule.repair(model, root=root, rng=stream(seed, "repair"))


def test_every_defense_has_an_example():
    assert {name: type(rule) for name, rule in EXAMPLES.items()} | {"none": NoRepair} == POST_TRAINING


@every
@anywhere
def test_only_the_repaired_model_answers_otherwise_and_the_data_are_left_alone(rule, architecture, facts):
    model, root = started(architecture, facts), examples(facts)
    shown = (model.parameters, *root)
    before = [tensor.clone() for tensor in shown]
    plain = model(root.inputs)
    answers = repaired(rule, model, root)(2 * root.inputs)
    assert answers.shape == plain.shape
    assert torch.isfinite(answers).all()
    assert torch.equal(answers, model(2 * root.inputs)) == (rule == NoRepair())
    assert torch.equal(model(root.inputs), plain)
    assert all(torch.equal(now, then) for now, then in zip(shown, before, strict=True))


@every
def test_equal_streams_give_equal_models(rule):
    model, root = started(Cnn(width=4)), examples()
    one, again = (repaired(rule, model, root)(root.inputs) for _ in range(2))
    assert torch.equal(one, again)


@every
def test_what_was_repaired_has_parameters_of_its_own_or_the_same_ones(rule):
    model, root = started(Cnn(width=4)), examples()
    fixed = repaired(rule, model, root)
    assert fixed.parameters is model.parameters or fixed.parameters.data_ptr() != model.parameters.data_ptr()
    assert fixed.network.size == len(fixed.parameters)


@every
@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e30])
def test_a_model_that_has_run_away_is_no_error(rule, value):
    model = started(Cnn(width=4))
    lost = Model(model.network, torch.full_like(model.parameters, value))
    assert repaired(rule, lost, examples())(examples().inputs).shape == (12, 10)


@every
def test_bytes_are_taken_as_root_data(rule):
    model, root = started(Cnn(width=4)), examples()
    raw = Batch((255 * root.inputs).byte(), root.labels)
    same = Batch(raw.inputs.float() / 255, root.labels)
    assert torch.equal(*(repaired(rule, model, each)(root.inputs) for each in (raw, same)))


@every
def test_root_data_are_needed_where_it_says_so(rule):
    model = started(Cnn(width=4))
    if not rule.needs_root:
        assert repaired(rule, model, None)(examples().inputs).shape == (12, 10)
        return
    with pytest.raises(ConfigError, match="needs root data; use data.root_size >= 1$"):
        repaired(rule, model, None)


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - {"none", "smoothing"}))
def test_a_model_without_hidden_layers_is_refused(name):
    with pytest.raises(ConfigError, match=f"^{name}: the model has no hidden .*; use one with a hidden layer$"):
        repaired(EXAMPLES[name], started(Logistic()), examples())


@every
@pytest.mark.parametrize("check", SETTINGS_CHECKS, ids=lambda check: check.__name__)
def test_it_can_be_configured(rule, check):
    assert failures(check, rule) == ()


@pytest.mark.parametrize("name", POST_TRAINING)
def test_a_name_builds_its_defense_and_an_unknown_option_is_refused(name):
    assert type(build("post_training", POST_TRAINING, {"name": name})) is POST_TRAINING[name]
    with pytest.raises(UnknownName, match=f"post_training '{name}' has no option 'boundd'"):
        build("post_training", POST_TRAINING, {"name": name, "boundd": 3})


def test_every_defense_can_be_imported_by_its_name():
    assert {rule.__name__ for rule in POST_TRAINING.values()} <= set(defenses.__all__)


class Normalizing:
    """A chain that normalizes over examples, which takes no single one."""

    def module(self, shape, classes):
        norm = nn.BatchNorm1d(6, track_running_stats=False)
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 6), norm, nn.ReLU(), nn.Linear(6, classes))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - {"clp"}))
def test_a_model_that_normalizes_over_examples_is_checked_and_repaired(name, count):
    model, root, rule = started(Normalizing()), examples(), EXAMPLES[name]
    answers = model(root.inputs).argmax(dim=1)
    root = Batch(root.inputs, torch.cat([answers[:count], (answers[count:] + 1) % 10]))  # `count` of them are right
    if isinstance(rule, Checking):
        rule.check(model, root=root)
    assert torch.isfinite(repaired(rule, model, root)(root.inputs)).all()


def test_triggers_of_a_model_that_normalizes_over_examples_are_reversed():
    found = reverse_triggers(
        started(Normalizing()), examples(), rng=stream(0, "reversal"), search=TriggerReversal(steps=2)
    )
    assert len(found) == 10
