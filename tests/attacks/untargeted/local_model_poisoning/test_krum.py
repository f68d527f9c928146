import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.arrays import RELEASED
from sparring.attacks.untargeted.local_model_poisoning.krum import (
    SMALLEST,
    farthest_expected,
    farthest_selected,
    measure,
)
from sparring.attacks.untargeted.observed_updates import directions
from sparring.random import stream


def krum_scores(rows, neighbors):
    """Score rows as the definition does, pair by pair in float64."""
    exact = rows.double()
    distances = [sorted(float((one - other).square().sum()) for other in exact) for one in exact]
    return [sum(each[1 : neighbors + 1]) for each in distances]  # the first is the row itself


def counted(rows, assumed):
    """Return how many neighbors Krum counts: it assumes no more malicious rows than it can bear."""
    bearable = [malicious for malicious in range(assumed + 1) if 2 * malicious + 2 < rows]
    return max(1, rows - max(bearable, default=0) - 2)


def selects_crafted(benign, update, *, crafted, neighbors):
    """Say whether Krum selects a crafted row even where those come last, and ties go to the first."""
    scores = krum_scores(torch.cat([benign, update.expand(crafted, -1)]), neighbors)
    return scores.index(min(scores)) >= len(benign)


def drawn(seed, clients, width=20):
    """Draw updates that agree in part, some more than others."""
    rng = stream(seed, "round")
    shared, noise = rng.normal(size=width), rng.normal(size=(clients, width))
    return torch.from_numpy(0.1 * (shared + rng.uniform(0.5, 5) * noise)).float()


class TestGeometry:
    def test_scores_are_those_of_the_definition(self):
        benign = drawn(1, 6)
        signs = directions(benign)
        rows = torch.cat([benign, -0.3 * signs.expand(3, -1)])
        scores = measure(benign, signs).scores(0.3, crafted=3, neighbors=4)
        torch.testing.assert_close(scores, torch.tensor(krum_scores(rows, 4), dtype=torch.float64))

    def test_huge_updates_are_measured_right(self):
        benign = drawn(1, 5) * 1e38
        signs = directions(benign)
        rows = torch.cat([benign, -1e37 * signs[None]])
        scores = measure(benign, signs).scores(1e37, crafted=1, neighbors=2)
        torch.testing.assert_close(scores, torch.tensor(krum_scores(rows, 2), dtype=torch.float64))

    def test_the_bound_is_that_of_theorem_1(self):
        geometry = measure(torch.tensor([[1.0], [2.0], [3.0]]), torch.ones(1))
        # The middle update's two neighbors are at squared distance 1; one crafted row counts both of its own.
        assert geometry.bound(crafted=1, neighbors=2) == pytest.approx((2 / 2) ** 0.5 + 3)


SPREAD = 10 * torch.eye(4)
"""Updates at squared distance 200 from each other and 100 from zero, where one crafted row is soon the most central."""


def test_the_step_is_halved_until_krum_selects_it():
    # The bound is sqrt(400 / (2 * 4)) + 10 / 2; Krum selects below λ = 3.09, where the squared distance of -λ is 200.
    expected = (50**0.5 + 5) / 4
    torch.testing.assert_close(farthest_selected(SPREAD, crafted=1, assumed=1), torch.full((4,), -expected))


def test_crafted_rows_that_are_their_own_neighbors_go_as_far_as_the_bound():
    benign = torch.tensor([[1.0], [2.0], [3.0]])
    # Of seven rows Krum counts three neighbors, all crafted; the bound is sqrt(1 + 1) + 3.
    torch.testing.assert_close(farthest_selected(benign, crafted=4, assumed=2), torch.tensor([-(2**0.5) - 3]))


def test_a_round_too_small_for_the_assumed_count_lowers_it():
    benign = drawn(1, 5)
    assert torch.equal(farthest_selected(benign, crafted=2, assumed=6), farthest_selected(benign, crafted=2, assumed=2))


@given(st.integers(0, 2**32), st.integers(2, 7), st.integers(1, 4), st.integers(0, 4))
def test_krum_selects_what_the_search_finds_but_not_what_lies_twice_as_far(seed, clients, crafted, assumed):
    benign = drawn(seed, clients)
    neighbors = counted(clients + crafted, assumed)
    update = farthest_selected(benign, crafted=crafted, assumed=assumed)
    step = update.abs().max().item()
    assert torch.equal(update, -step * directions(benign))
    assert selects_crafted(benign, update, crafted=crafted, neighbors=neighbors) or step < SMALLEST
    theorem_holds = crafted <= neighbors < clients
    assert not (theorem_holds and selects_crafted(benign, 2 * update, crafted=crafted, neighbors=neighbors))


def test_the_search_gives_up_where_krum_selects_no_crafted_row():
    benign = torch.tensor([[1.0], [2.0], [3.0]])
    update = farthest_selected(benign, crafted=1, assumed=0)
    assert -SMALLEST < update.item() <= -SMALLEST / 2


def test_with_partial_knowledge_one_client_reverses_the_size_of_its_own_update():
    own = torch.tensor([[3.0, -4.0, 0.0, 0.0]])
    # Two imagined rows are selected at any λ; the bound is |own| / sqrt(d).
    torch.testing.assert_close(farthest_expected(own), torch.tensor([-2.5, 2.5, -2.5, -2.5]))


def test_with_partial_knowledge_as_few_rows_are_imagined_as_krum_needs():
    # One row is enough, as above; with two the answer would be 3.75.
    torch.testing.assert_close(farthest_expected(SPREAD), farthest_selected(SPREAD, crafted=1, assumed=1))


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_with_partial_knowledge_krum_selects_the_update_among_some_imagined_rows(seed, clients):
    own = drawn(seed, clients)
    update = farthest_expected(own)
    neighbors, imagined = max(1, clients - 2), range(1, clients + 2)
    assert any(selects_crafted(own, update, crafted=crafted, neighbors=neighbors) for crafted in imagined)


def released_scores(rows, malicious):
    """Score rows as the code does that was released with the RL attack."""
    exact = rows.double()
    distances = [sorted(float((one - other).norm()) for other in exact) for one in exact]
    return [sum(each[1 : len(exact) - 2 - malicious]) for each in distances]


def test_the_step_is_halved_until_the_released_krum_selects_it():
    # Two neighbors count. The bound is (28.28 / 2 + 10) / 2; the crafted row is selected where it is nearer than 14.14.
    expected = (200**0.5 + 10) / 8
    update = farthest_selected(SPREAD, crafted=1, assumed=0, score=RELEASED)
    torch.testing.assert_close(update, torch.full((4,), -expected))


@given(st.integers(0, 2**32), st.integers(2, 7), st.integers(1, 4), st.integers(0, 9))
def test_the_released_krum_selects_what_the_search_finds_but_not_what_lies_twice_as_far(
    seed, clients, crafted, assumed
):
    benign, assumed = drawn(seed, clients), min(assumed, clients + crafted)
    update = farthest_selected(benign, crafted=crafted, assumed=assumed, score=RELEASED)

    def is_selected(update):
        scores = released_scores(torch.cat([benign, update.expand(crafted, -1)]), assumed)
        return scores.index(min(scores)) >= clients

    step = update.abs().max().item()
    assert torch.equal(update, -step * directions(benign))
    assert is_selected(update) or step < SMALLEST
    theorem_holds = crafted <= clients + crafted - assumed - 3 < clients
    assert not (theorem_holds and is_selected(2 * update))


def test_the_search_gives_up_where_the_released_krum_counts_no_neighbors():
    update = farthest_selected(drawn(1, 3), crafted=7, assumed=7, score=RELEASED)
    assert 0 < update.abs().max().item() <= SMALLEST


def test_with_partial_knowledge_the_released_krum_counts_one_neighbor_less():
    # One neighbor counts: with one imagined row its nearest benign row ties, with two any λ is selected.
    bound = (200**0.5 + 10) / 2
    torch.testing.assert_close(farthest_expected(SPREAD, RELEASED), torch.full((4,), -bound))
