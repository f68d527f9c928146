import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.data import client_skew
from sparring.random import stream
from tests.data.examples import balanced_labels

CLASSES = 10


def held_labels(labels: torch.Tensor, clients: int, pr: float, seed: int = 0) -> list[torch.Tensor]:
    order, offsets = client_skew(labels, clients, main_label_probability=pr, rng=stream(seed, "skew"))
    return list(labels[order].split(offsets.diff().tolist()))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.data())
def test_shards_are_of_equal_size(labels, data):
    clients = data.draw(st.integers(1, len(labels)))
    pr = data.draw(st.floats(0, 1))
    sizes = [len(held) for held in held_labels(torch.tensor(labels), clients, pr)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("pr", [0.0, 0.3, 0.5, 0.9])
def test_a_client_takes_its_main_label_with_probability_pr_or_by_chance_and_others_alike(pr):
    labels = balanced_labels(CLASSES, 2000)
    counts = torch.zeros(CLASSES, CLASSES)
    for client, held in enumerate(held_labels(labels, 50, pr)):
        counts[client % CLASSES] += held.bincount(minlength=CLASSES)
    shares = counts / 2000
    others = shares[~torch.eye(CLASSES, dtype=torch.bool)]
    # Five standard deviations of a share of 2000 draws.
    own = pr + (1 - pr) / CLASSES
    assert (shares.diagonal() - own).abs().max() < 5 * (own * (1 - own) / 2000) ** 0.5
    assert (others - (1 - pr) / CLASSES).abs().max() < 5 * (0.1 / 2000) ** 0.5


def test_full_skew_gives_each_client_one_label():
    for client, held in enumerate(held_labels(balanced_labels(CLASSES, 50), 50, 1.0)):
        assert set(held.tolist()) == {client % CLASSES}


def test_clients_of_one_label_share_it_by_chance_where_it_runs_out():
    labels = torch.tensor([0] * 40 + [1] * 160)
    main = torch.zeros(10)
    for seed in range(50):
        held = held_labels(labels, 20, 1.0, seed)
        main += torch.tensor([(each == 0).sum() for each in held[::2]])
        assert all((each == 1).all() for each in held[1::2])
        assert sum((each == 0).sum() for each in held[::2]) == 40
    # Each of the ten has 10 of the 100 places, of which 40 are served: 4 on average, with a variance of 2.2.
    assert (main / 50 - 4).abs().max() < 5 * (2.2 / 50) ** 0.5


def test_a_label_that_no_example_has_is_wanted_in_vain():
    held = held_labels(torch.tensor([0, 2] * 30), 3, 1.0)
    assert [sorted(set(each.tolist())) for each in held] == [[0], [0, 2], [2]]


def test_which_examples_of_a_label_a_client_gets_is_random():
    labels = torch.zeros(100, dtype=torch.int64)
    order, _ = client_skew(labels, 2, main_label_probability=1.0, rng=stream(0, "skew"))
    assert sorted(order[:50].tolist()) not in ([*range(50)], [*range(50, 100)])
