"""What a model is worth to its users, and to those who hid a backdoor in it."""

from dataclasses import dataclass, replace
from math import isnan
from typing import Any, ClassVar

import pytest
import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.defenses import Mean
from sparring.errors import ConfigError, PluginError
from sparring.federation import Attacker, Scenario, Threat, initial_state, measure, train
from sparring.federation.evaluation import reach
from sparring.federation.simulation import BACKDOOR_METRICS
from sparring.training import Sequential
from tests.federation.backdooring import Lever
from tests.settings import clouds, small_federation

DATA = clouds()
FEDERATION = small_federation(backend=Sequential(), data=DATA, root=DATA.train)
START = initial_state(FEDERATION)
NOBODY_ASSUMED = Threat(assumed_malicious=0.0)


def scenario(*attackers, repair=None, federation=FEDERATION):
    return Scenario(federation, Mean(), attackers, NOBODY_ASSUMED, repair)


@dataclass(frozen=True)
class Answers:
    """Answer each input with the class that its second feature says."""

    size: int = 0

    def split(self, parameters):
        return ()

    def forward(self, tensors, inputs):
        return torch.nn.functional.one_hot(inputs[:, 1].long(), 3).float()


def examples(*pairs):
    """Make examples of pairs: what the model will answer, and the label."""
    answers, labels = zip(*pairs, strict=True)
    return Batch(torch.tensor([[0.0, answer] for answer in answers]), torch.tensor(labels))


MODEL = Model(Answers(), torch.zeros(0))
FIVE = examples((1, 0), (0, 0), (1, 2), (1, 1), (2, 2))


@pytest.mark.parametrize(
    ("backdoor", "meant", "with_target", "of_all"),
    [
        (Lever(), 2 / 4, 3 / 5, 3 / 5),
        (Lever(source=0), 1 / 2, 2 / 3, 3 / 5),
        (Lever(target=0, source=2), 0 / 2, 1 / 4, 1 / 5),
    ],
)
def test_backdoor_accuracy_is_the_share_of_counted_images_that_are_taken_for_the_target(
    backdoor, meant, with_target, of_all
):
    assert reach(MODEL, backdoor, on=FIVE) == pytest.approx((meant, with_target, of_all))


def test_without_a_backdoor_the_target_class_s_share_of_all_images_is_taken_for_it():
    right = examples(*((label, label) for label in (0, 0, 1, 2, 1, 0, 2, 0, 0, 0)))
    assert reach(MODEL, Lever(target=1, source=2), on=right) == (0, 2 / 4, 2 / 10)


def test_where_no_image_is_meant_there_is_no_share():
    meant, with_target, of_all = reach(MODEL, Lever(target=1, source=2), on=examples((0, 0)))
    assert isnan(meant)
    assert isnan(with_target)
    assert of_all == 0.0
    meant, *others = reach(MODEL, Lever(target=1, source=2), on=examples((1, 1)))
    assert isnan(meant)
    assert others == [1.0, 1.0]


def test_the_trigger_is_on_the_images_that_are_measured():
    @dataclass(frozen=True)
    class Turn(Lever):
        def triggered(self, batch):
            inputs = batch.inputs.clone()
            inputs[:, 1] = self.target
            return Batch(inputs, torch.full_like(batch.labels, self.target))

    assert reach(MODEL, Turn(), on=FIVE) == (1.0, 1.0, 1.0)


def test_a_backdoor_is_learned_and_measured_whenever_the_model_is():
    result = train(scenario(Attacker(6, poison=Lever())), rounds=30)
    assert [record.backdoor_accuracy is None for record in result.records] == [
        record.accuracy is None for record in result.records
    ]
    assert result.records[-1].backdoor_accuracy > 0.9 > result.records[0].backdoor_accuracy


def test_several_backdoors_are_measured_by_their_mean():
    first, second = Attacker(3, poison=Lever(target=1)), Attacker(3, poison=Lever(target=2))
    alone = [measure(scenario(attacker), START) for attacker in (first, second)]
    together = measure(scenario(first, second), START)
    for name in BACKDOOR_METRICS:
        assert getattr(together, name) == pytest.approx(sum(getattr(each, name) for each in alone) / 2)


def test_without_a_backdoor_there_is_nothing_to_measure():
    @dataclass(frozen=True)
    class Flip:
        def poison(self, batch, *, client, rng):
            return batch

    result = train(scenario(Attacker(6, poison=Flip())), rounds=2)
    assert {record.backdoor_accuracy for record in result.records} == {None}
    assert result.backdoor_metrics == {}


def test_backdoors_are_summed_up_at_the_end_and_on_average_without_the_start():
    result = train(scenario(Attacker(6, poison=Lever())), rounds=4, every=2)
    _, second, last = [record for record in result.records if record.accuracy is not None]
    for name in BACKDOOR_METRICS:
        assert result.backdoor_metrics[name] == getattr(last, name)
        mean = (getattr(second, name) + getattr(last, name)) / 2
        assert result.backdoor_metrics[f"average_{name}"] == pytest.approx(mean)


BACKDOORS = [
    ("meant", lambda labels: labels, r"poison Spoiled means shape \[\d+\], torch.int64; it must return shape"),
    ("meant", lambda labels: labels.mul_(1) > 0, "poison Spoiled edited labels in place"),
    ("triggered", lambda batch: None, "poison Spoiled returned NoneType; it must return a Batch"),
    ("triggered", lambda batch: Batch(batch.inputs.mul_(2), batch.labels), "poison Spoiled edited inputs in place"),
]


@pytest.mark.parametrize(("method", "play", "message"), BACKDOORS, ids=[message for *_, message in BACKDOORS])
def test_a_backdoor_that_breaks_its_contract_is_blamed(method, play, message):
    spoiled = type("Spoiled", (Lever,), {method: lambda self, given: play(given)})()
    with pytest.raises(PluginError, match=message):
        measure(scenario(Attacker(6, poison=spoiled)), START)


@dataclass(frozen=True)
class Changed:
    """Do with a model whatever a test wants."""

    change: Any = lambda model, root: Model(model.network, torch.zeros_like(model.parameters))
    needs_root: ClassVar[bool] = False

    def repair(self, model, *, root, rng):
        return self.change(model, root)


@dataclass(frozen=True)
class Rooted(Changed):
    needs_root: ClassVar[bool] = True


def test_a_repaired_model_is_measured_and_training_goes_on_with_the_other():
    plain, repaired = (train(scenario(repair=repair), rounds=5, every=2) for repair in (None, Changed()))
    assert torch.equal(plain.model.parameters, repaired.model.parameters)
    assert repaired.records[-1].loss == pytest.approx(torch.tensor(3.0).log().item())
    assert plain.records[-1].loss < repaired.records[-1].loss
    without = [replace(record, loss=None, accuracy=None, class_accuracy=None) for record in repaired.records]
    assert without == [replace(record, loss=None, accuracy=None, class_accuracy=None) for record in plain.records]


def test_a_repair_is_shown_the_server_s_own_examples_in_range():
    seen = []
    measure(scenario(repair=Changed(lambda model, root: seen.append(root) or model)), START)
    assert torch.equal(seen[0].inputs, DATA.train.inputs)
    rootless = small_federation(data=DATA)
    measure(scenario(repair=Changed(lambda model, root: seen.append(root) or model), federation=rootless), START)
    assert seen[1] is None


REPAIRS = [
    (lambda model, root: None, "post-training defense Changed returned NoneType; it must return a Model"),
    (lambda model, root: 1 / 0, "post-training defense Changed raised ZeroDivisionError"),
    (
        lambda model, root: Model(model.network, model.parameters.add_(0)),
        "post-training defense Changed edited parameters in place",
    ),
    (
        lambda model, root: root.labels.add_(0) is None or model,
        "post-training defense Changed edited the root data's labels in place",
    ),
]


@pytest.mark.parametrize(("change", "message"), REPAIRS, ids=[message for _, message in REPAIRS])
def test_a_repair_that_breaks_its_contract_is_blamed(change, message):
    with pytest.raises(PluginError, match=message):
        measure(scenario(repair=Changed(change)), START)


def test_a_repair_that_needs_root_data_is_refused_without_any():
    with pytest.raises(ConfigError, match="post_training Rooted needs root data; use data.root_size >= 1"):
        scenario(repair=Rooted(), federation=small_federation(data=DATA))
    scenario(repair=Rooted())
