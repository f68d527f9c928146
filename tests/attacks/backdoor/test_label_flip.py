import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import LabelFlip
from sparring.errors import ConfigError
from sparring.random import stream

RNG = stream(0, "unused")


def test_labels_are_mirrored_and_inputs_kept():
    batch = Batch(torch.rand(5, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3, 4]))
    inputs, labels = LabelFlip(classes=5).poison(batch, client=0, rng=RNG)
    assert labels.tolist() == [4, 3, 2, 1, 0]
    assert torch.equal(inputs, batch.inputs)


def test_a_label_beyond_the_classes_is_refused():
    with pytest.raises(ConfigError, match=r"^label_flip\.classes is 3; the label 4 needs at least 5$"):
        LabelFlip(classes=3).poison(Batch(torch.zeros(2, 1), torch.tensor([4, 0])), client=0, rng=RNG)


def test_two_classes_are_the_least():
    with pytest.raises(ConfigError, match=r"^label_flip\.classes is 1; it must be at least 2$"):
        LabelFlip(classes=1)
