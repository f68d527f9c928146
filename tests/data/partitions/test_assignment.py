import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.partitions.assignment import check_enough, from_owners, top_up
from sparring.errors import ConfigError
from sparring.random import stream


def test_a_partition_lists_examples_client_by_client():
    order, offsets = from_owners(np.array([1, 0, 2, 0, 2, 2]), clients=4)
    assert order.tolist() == [1, 3, 0, 2, 4, 5]
    assert offsets.tolist() == [0, 2, 3, 6, 6]


@given(st.lists(st.integers(0, 4), min_size=10, max_size=40), st.integers(1, 2), st.integers(0, 99))
def test_nobody_gives_more_than_can_be_spared(owners, minimum, seed):
    before = np.bincount(owners, minlength=5)
    after = np.bincount(top_up(np.array(owners), 5, minimum=minimum, rng=stream(seed, "top")), minlength=5)
    assert after.min() >= minimum
    assert after.sum() == len(owners)
    assert (after[before <= minimum] == minimum).all()
    assert (after[before > minimum] <= before[before > minimum]).all()


def test_only_as_many_move_as_must():
    owners = np.array([0] * 9 + [1])
    filled = top_up(owners, 3, minimum=2, rng=stream(0, "top"))
    assert (filled != owners).sum() == 3
    assert owners.tolist() == [0] * 9 + [1]


def test_who_has_enough_is_left_alone():
    owners = np.array([0, 1, 1, 0])
    assert top_up(owners, 2, minimum=2, rng=stream(0, "top")) is owners


def test_too_many_clients_are_told_how_many_would_do():
    check_enough(examples=30, clients=10, minimum=3)
    with pytest.raises(
        ConfigError,
        match="clients is 11; with at least 3 examples each they need 33, and there are 30, enough for 10",
    ):
        check_enough(examples=30, clients=11, minimum=3)
