import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import (
    Bars,
    DistributedBackdoor,
    Neurotoxin,
    PoisonedTraining,
    ProjectedBackdoor,
    TargetedBoosting,
)
from sparring.contracts import Backdoor
from sparring.errors import ConfigError
from sparring.random import stream
from tests.attacks.backdoor.triggers.pictures import batch

BACKDOORS = {
    "bfl": PoisonedTraining,
    "dba": DistributedBackdoor,
    "neurotoxin": Neurotoxin,
    "pgd": ProjectedBackdoor,
    "targeted_eb": TargetedBoosting,
}
LABELS = [0, 1, 2, 3, 2, 1]


def poisoned(player, examples, *, client=0, seed=0):
    return player.poison(examples, client=client, rng=stream(seed, "poison"))


def test_all_to_one_means_every_class_but_the_target():
    assert PoisonedTraining(target=2).meant(torch.tensor(LABELS)).tolist() == [True, True, False, True, False, True]


def test_one_to_one_means_the_source_alone():
    backdoor = PoisonedTraining(target=2, source=1)
    assert backdoor.meant(torch.tensor(LABELS)).tolist() == [False, True, False, False, False, True]


@pytest.mark.parametrize("cls", BACKDOORS.values())
def test_each_tells_what_it_is_after(cls):
    assert isinstance(cls(), Backdoor)


def test_all_that_is_meant_is_poisoned_at_ratio_one_and_nothing_at_zero():
    examples = batch(LABELS)
    none, all_of_it = (poisoned(PoisonedTraining(ratio=ratio), examples) for ratio in (0.0, 1.0))
    assert all(map(torch.equal, none, examples))
    assert all_of_it.labels.tolist() == [2] * 6
    meant = torch.tensor([0, 1, 3, 5])
    assert torch.equal(all_of_it.inputs[meant], Bars().stamp(examples.inputs[meant]))
    assert torch.equal(all_of_it.inputs[[2, 4]], examples.inputs[[2, 4]])


def test_the_ratio_is_the_share_of_meant_images_that_are_poisoned():
    examples = Batch(torch.zeros(4000, 1, 28, 28), torch.arange(4000) % 4)
    inputs, labels = poisoned(PoisonedTraining(target=2, ratio=0.3), examples)
    carrying = inputs.flatten(1).any(dim=1)
    assert torch.equal(carrying, labels != examples.labels)
    # 3000 are meant: three standard deviations of the share are 0.025.
    assert carrying.sum() / 3000 == pytest.approx(0.3, abs=0.025)


def test_for_evaluation_every_image_carries_the_trigger_and_is_labeled_with_the_target():
    examples = batch(LABELS)
    inputs, labels = PoisonedTraining(target=3, source=1, ratio=0.1).triggered(examples)
    assert torch.equal(inputs, Bars().stamp(examples.inputs))
    assert labels.tolist() == [3] * 6


def test_images_of_bytes_are_scaled_before_they_are_stamped():
    stored = Batch(torch.full((1, 1, 28, 28), 51, dtype=torch.uint8), torch.tensor([0]))
    assert PoisonedTraining().triggered(stored).inputs.unique().tolist() == pytest.approx([0.2, 1.0])


def test_the_batch_that_is_poisoned_stays_as_it_was():
    examples = batch(LABELS)
    inputs, labels = (part.clone() for part in examples)
    poisoned(PoisonedTraining(ratio=1.0), examples)
    assert torch.equal(examples.inputs, inputs)
    assert torch.equal(examples.labels, labels)


@pytest.mark.parametrize(("name", "cls"), BACKDOORS.items())
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": 10, "source": 1}, "target is 10; with 10 classes it must be 0 to 9"),
        ({"target": -1, "source": 1}, "target is -1; it must be at least 0"),
        ({"target": 2, "source": 1, "classes": 2}, "target is 2; with 2 classes it must be 0 to 1"),
        ({"target": 2, "source": 11}, "source is 11; with 10 classes it must be 0 to 9"),
        ({"target": 2, "source": 2}, "source is 2, the target itself; use another class"),
        ({"ratio": 1.1}, "ratio is 1.1; it must be from 0 to 1"),
        ({"ratio": -0.1}, "ratio is -0.1; it must be from 0 to 1"),
        ({"ratio": float("nan")}, "ratio is nan; it must be from 0 to 1"),
    ],
)
def test_classes_that_do_not_exist_and_ratios_that_are_none_are_refused(name, cls, settings, message):
    with pytest.raises(ConfigError, match=rf"^{name}\.{message}$"):
        cls(**settings)
