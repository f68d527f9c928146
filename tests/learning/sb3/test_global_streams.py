import json
import random

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from sparring.learning.sb3.global_streams import capture_streams, global_streams, seed_streams
from sparring.random import stream
from sparring.snapshot import Snapshot
from tests.learning.sb3.lessons import TD3, lesson


def drawn():
    """Draw from every global generator."""
    return torch.randn(3).tolist(), np.random.normal(size=3).tolist(), [random.gauss(0, 1) for _ in range(3)]  # noqa: NPY002


def states(name="test"):
    return seed_streams(stream(0, name))


def test_equal_states_give_equal_draws():
    with global_streams(states()):
        first = drawn()
    with global_streams(states()):
        assert drawn() == first
    with global_streams(states("another")):
        assert drawn() != first


def test_all_generators_go_on_where_they_were():
    with global_streams(states()):
        drawn()
        later = capture_streams()
        expected = drawn()
    with global_streams(Snapshot(load(save(later.tensors)), json.loads(json.dumps(later.numbers)))):
        assert drawn() == expected


def test_everybody_else_notices_nothing():
    outside = capture_streams()
    expected = drawn()
    with global_streams(outside):
        with global_streams(states()):
            drawn()
        assert drawn() == expected


def fail_within():
    """Draw, and fail."""
    with global_streams(states()):
        drawn()
        raise RuntimeError("no luck")


def test_an_error_gives_the_generators_back():
    outside = capture_streams()
    expected = drawn()
    with global_streams(outside):
        with pytest.raises(RuntimeError, match="no luck"):
            fail_within()
        assert drawn() == expected


def test_training_and_its_user_do_not_disturb_each_other():
    quiet = [each.policy.layers[0][0] for each in lesson(TD3)]
    with global_streams(states()):
        expected = [drawn() for _ in quiet]
    with global_streams(states()):
        loud = [(each.policy.layers[0][0], drawn()) for each in lesson(TD3)]
    assert [numbers for _, numbers in loud] == expected
    assert all(torch.equal(one, other) for one, (other, _) in zip(quiet, loud, strict=True))
