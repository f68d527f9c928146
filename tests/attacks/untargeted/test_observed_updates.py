import torch

from sparring.arrays import CELLS
from sparring.attacks.untargeted.observed_updates import (
    benign_updates,
    directions,
    known_updates,
    mean_update,
    moments,
    own_updates,
    products,
)
from sparring.conformance.adversary import BENIGN, OWN, attacker_view, updates

NAN, INF = float("nan"), float("inf")


def test_benign_rows_that_the_server_drops_are_not_counted():
    spoiled = BENIGN.clone()
    spoiled[2, 4], spoiled[5, 0] = NAN, INF
    assert torch.equal(benign_updates(attacker_view(spoiled)), BENIGN[[0, 1, 3, 4, 6]])


def test_finite_benign_rows_are_not_copied():
    seen = attacker_view()
    assert benign_updates(seen) is seen.benign


def test_a_client_whose_training_diverged_has_an_own_update_of_zero():
    own = torch.tensor([[1.0, NAN], [INF, 2.0], [3.0, 4.0]])
    assert torch.equal(own_updates(attacker_view(own=own)), torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0]]))


def test_own_updates_may_be_edited():
    assert own_updates(attacker_view(own=OWN)) is not OWN


def test_the_mean_of_huge_rows_does_not_overflow():
    torch.testing.assert_close(mean_update(torch.full((9, 2), 3e38)), torch.full((2,), 3e38))


def test_the_mean_is_each_columns():
    torch.testing.assert_close(mean_update(torch.tensor([[1.0, -4.0], [2.0, 8.0]])), torch.tensor([1.5, 2.0]))


def test_with_partial_knowledge_the_own_updates_are_taken_for_benign():
    assert torch.equal(known_updates(attacker_view(), "full"), BENIGN)
    assert torch.equal(known_updates(attacker_view(), "partial"), OWN)


def test_the_deviation_is_the_population_s():
    mean, deviation = moments(torch.tensor([[1.0, 5.0], [3.0, 5.0], [8.0, 5.0]]))
    assert mean.tolist() == [4.0, 5.0]
    torch.testing.assert_close(deviation, torch.tensor([26 / 3, 0.0]).double().sqrt())


def test_moments_of_huge_and_many_columns_are_those_of_float64():
    rows = updates(3, "rows", parameters=CELLS + 5) * 1e38
    mean, deviation = moments(rows)
    torch.testing.assert_close(mean, rows.double().mean(dim=0))
    torch.testing.assert_close(deviation, rows.double().std(dim=0, correction=0))


def test_every_coordinate_has_a_direction():
    rows = torch.tensor([[1.0, -4.0, 0.0], [2.0, 1.0, 0.0]])
    assert directions(rows).tolist() == [1.0, -1.0, 1.0]


def test_products_of_huge_rows_are_those_of_float64():
    rows = updates(3, "rows", parameters=CELLS + 5) * 1e38
    vectors = updates(2, "vectors", parameters=CELLS + 5)
    torch.testing.assert_close(products(rows, vectors), rows.double() @ vectors.double().T)
