import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.random_order import random_ranks
from sparring.random import stream


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 99))
def test_equals_are_numbered_without_gaps(keys, seed):
    keys = np.array(keys)
    ranks = random_ranks(keys, stream(seed, "ranks"))
    for key in set(keys):
        assert sorted(ranks[keys == key]) == list(range((keys == key).sum()))


def test_every_order_among_equals_occurs():
    orders = {tuple(random_ranks(np.zeros(3, dtype=np.int64), stream(seed, "ranks"))) for seed in range(200)}
    assert len(orders) == 6


def test_the_order_depends_on_the_stream_alone():
    keys = np.arange(100) % 2
    one, again, other = (random_ranks(keys, stream(seed, "ranks")) for seed in (0, 0, 1))
    assert (one == again).all()
    assert (one != other).any()
