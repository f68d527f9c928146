import torch

from sparring.data import sorted_shards
from sparring.random import stream
from tests.data.examples import balanced_labels

LABELS = balanced_labels(10, 100)


def test_a_client_knows_no_more_labels_than_it_has_pieces():
    order, offsets = sorted_shards(LABELS, 50, per_client=2, rng=stream(0, "shards"))
    assert offsets.diff().tolist() == [20] * 50
    known = [len(part.unique()) for part in LABELS[order].split(20)]
    assert set(known) == {1, 2}


def test_a_piece_for_each_class_gives_each_client_one_label():
    order, _ = sorted_shards(LABELS, 10, per_client=1, rng=stream(0, "shards"))
    held = [part.unique().tolist() for part in LABELS[order].split(100)]
    assert sorted(held) == [[label] for label in range(10)]


def test_pieces_differ_in_size_by_at_most_one():
    labels = torch.zeros(103, dtype=torch.int64)
    sizes = sorted_shards(labels, 10, per_client=1, rng=stream(0, "shards")).offsets.diff()
    assert sorted(sizes.tolist()) == [10] * 7 + [11] * 3


def test_examples_of_a_label_are_mixed_before_they_are_cut():
    labels = torch.zeros(100, dtype=torch.int64)
    order, _ = sorted_shards(labels, 2, per_client=1, rng=stream(0, "shards"))
    assert sorted(order[:50].tolist()) not in ([*range(50)], [*range(50, 100)])
