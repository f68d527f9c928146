from math import nan

import pytest
import torch

from sparring.arrays import Batch
from sparring.defenses.post_training.requirements import clean_examples
from sparring.errors import ConfigError
from sparring.validation import fraction


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0, nan])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ConfigError, match=f"^prun: share={share}; use share >= 0 and below 1$"):
        fraction("prun", share=share)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_share_may_be_anything_below_one(share):
    fraction("prun", share=share)


@pytest.mark.parametrize("root", [None, Batch(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))])
def test_no_root_data_are_refused(root):
    with pytest.raises(ConfigError, match="^post_training prun needs root data; use data.root_size >= 1$"):
        clean_examples("prun", root)


def test_bytes_become_pixels():
    root = Batch(torch.tensor([[0, 255]], dtype=torch.uint8), torch.tensor([1]))
    assert clean_examples("prun", root).inputs.tolist() == [[0.0, 1.0]]
