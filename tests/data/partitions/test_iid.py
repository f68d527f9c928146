import torch

from sparring.data import iid
from sparring.random import stream
from tests.data.examples import balanced_labels


def test_client_sizes_differ_by_at_most_one():
    sizes = iid(balanced_labels(10, 7), 12, rng=stream(0, "iid")).offsets.diff()
    assert sorted(sizes.tolist()) == [5, 5] + [6] * 10


def test_every_client_sees_every_class_alike():
    labels = balanced_labels(10, 1000)
    order, _ = iid(labels, 10, rng=stream(0, "iid"))
    counts = torch.stack([labels[part].bincount(minlength=10) for part in order.split(1000)])
    # A count is hypergeometric with mean 100 and standard deviation 9; this allows five of them.
    assert (counts - 100).abs().max() < 45
