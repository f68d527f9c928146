from itertools import product

import pytest

from sparring.defenses.aggregation.toolkit.sorting_network import comparators, merge_exchange


def exchanged(values, pairs) -> list:
    """Return what is in each place after every pair of places was brought in order."""
    places = list(values)
    for first, second in pairs:
        places[first], places[second] = sorted([places[first], places[second]])
    return places


@pytest.mark.parametrize("size", range(12))
def test_every_input_of_zeros_and_ones_is_sorted_and_so_every_input(size):
    pairs = list(merge_exchange(size))
    assert all(exchanged(bits, pairs) == sorted(bits) for bits in product((0, 1), repeat=size))


@pytest.mark.parametrize(("size", "trim"), [(4, 1), (9, 4), (10, 2), (10, 4), (11, 0), (11, 5)])
def test_the_kept_places_are_sorted_without_the_pairs_left_out(size, trim):
    pairs, kept = comparators(size, trim).tolist(), slice(trim, size - trim)
    for bits in product((0, 1), repeat=size):
        assert exchanged(bits, pairs)[kept] == sorted(bits)[kept]


def test_a_median_needs_fewer_pairs_than_a_sort():
    assert len(comparators(200, 99)) < 0.85 * len(comparators(200, 0))


@pytest.mark.parametrize("size", [0, 1])
def test_fewer_than_two_values_need_no_pair(size):
    assert comparators(size, 0).shape == (0, 2)


def test_there_are_as_many_pairs_as_batcher_counts():
    # (p² - p + 4) 2^(p - 2) - 1 for 2^p values.
    assert len(list(merge_exchange(1024))) == (100 - 10 + 4) * 2**8 - 1
