import pytest
import torch

from sparring.data import label_skew
from sparring.data.partitions.assignment import Partition
from sparring.random import stream
from tests.data.examples import balanced_labels

CLASSES = 10
LABELS = balanced_labels(CLASSES, 2000)


def skew(labels: torch.Tensor, clients: int, q: float) -> Partition:
    return label_skew(labels, clients, q=q, rng=stream(0, "skew"))


def held_labels(labels: torch.Tensor, partition: Partition) -> list[torch.Tensor]:
    return list(labels[partition.order].split(partition.offsets.diff().tolist()))


def group_shares(q: float) -> torch.Tensor:
    """Return the share of each label (row) that went to each group (column) of 50 clients."""
    partition = skew(LABELS, 50, q)
    counts = torch.zeros(CLASSES, CLASSES)
    for client, labels in enumerate(held_labels(LABELS, partition)):
        counts[:, client % CLASSES] += labels.bincount(minlength=CLASSES)
    return counts / 2000


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_a_label_goes_to_its_own_group_with_probability_q_and_to_others_alike(q):
    shares = group_shares(q)
    others = shares[~torch.eye(CLASSES, dtype=torch.bool)]
    # Five standard deviations of a share of 2000 draws.
    assert (shares.diagonal() - q).abs().max() < 5 * (q * (1 - q) / 2000) ** 0.5
    assert (others - (1 - q) / 9).abs().max() < 5 * (0.1 / 2000) ** 0.5


def test_full_skew_gives_each_client_one_label():
    for client, labels in enumerate(held_labels(LABELS, skew(LABELS, 50, 1.0))):
        assert set(labels.tolist()) == {client % CLASSES}


def test_no_probability_keeps_a_label_out_of_its_own_group():
    for client, labels in enumerate(held_labels(LABELS, skew(LABELS, 50, 0.0))):
        assert client % CLASSES not in labels


def test_the_first_clients_spread_evenly_over_the_groups():
    first = held_labels(LABELS, skew(LABELS, 50, 1.0))[:20]
    assert sorted(int(labels[0]) for labels in first) == sorted(2 * list(range(CLASSES)))


def test_within_a_group_examples_are_dealt_evenly():
    sizes = skew(LABELS, 53, 0.5).offsets.diff()
    for group in range(CLASSES):
        dealt = sizes[group::CLASSES]
        assert dealt.max() - dealt.min() <= 1


def test_fewer_clients_than_classes_share_labels():
    full = held_labels(LABELS, skew(LABELS, 4, 1.0))
    assert [sorted(set(labels.tolist())) for labels in full] == [[0, 4, 8], [1, 5, 9], [2, 6], [3, 7]]


def test_two_classes_have_one_other_group():
    labels = balanced_labels(2, 50)
    full = held_labels(labels, skew(labels, 2, 0.0))
    assert [set(each.tolist()) for each in full] == [{1}, {0}]
