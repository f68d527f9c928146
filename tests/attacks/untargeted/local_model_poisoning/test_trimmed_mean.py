import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.attacks.untargeted.local_model_poisoning.trimmed_mean import beyond_deviation, beyond_range
from sparring.attacks.untargeted.observed_updates import directions
from sparring.conformance.adversary import updates
from sparring.random import stream

MANY = 4000


def extremes(column):
    """Return the ends of a column of uniform draws; each lies within a thousandth of the interval's."""
    return column.min().item(), column.max().item()


@pytest.mark.parametrize(
    ("start", "local_models", "interval"),
    [
        (10.0, [3.0, 4.0], (4.0, 8.0)),  # falling, largest above zero
        (10.0, [-5.0, -4.0], (-4.0, -2.0)),  # falling, largest below zero
        (-10.0, [4.0, 5.0], (2.0, 4.0)),  # rising, smallest above zero
        (-10.0, [-4.0, -3.0], (-8.0, -4.0)),  # rising, smallest below zero
    ],
)
def test_crafted_local_models_fill_the_published_intervals(start, local_models, interval):
    parameters = torch.tensor([start])
    benign = parameters - torch.tensor(local_models)[:, None]
    crafted = parameters - beyond_range(benign, parameters, rows=MANY, scale=2.0, rng=stream(0, "draws"))
    assert extremes(crafted) == pytest.approx(interval, abs=0.01)


def test_with_the_b_of_five_of_the_rl_attack_s_authors_models_go_five_times_as_far():
    parameters = torch.tensor([10.0])
    benign = parameters - torch.tensor([3.0, 4.0])[:, None]
    crafted = parameters - beyond_range(benign, parameters, rows=MANY, scale=5.0, rng=stream(0, "draws"))
    assert extremes(crafted) == pytest.approx((4.0, 20.0), abs=0.05)


@given(st.integers(0, 2**32), st.integers(1, 6), st.floats(1.01, 50))
def test_crafted_updates_lie_beyond_all_benign_ones_against_their_mean(seed, clients, scale):
    rng = stream(seed, "round")
    benign, parameters = (torch.from_numpy(rng.normal(size=shape)).float() for shape in ((clients, 30), 30))
    crafted = beyond_range(benign, parameters, rows=4, scale=scale, rng=rng)
    positive = directions(benign) > 0
    assert (crafted <= benign.amin(dim=0))[:, positive].all()
    assert (crafted >= benign.amax(dim=0))[:, ~positive].all()


def test_with_partial_knowledge_updates_lie_three_to_four_deviations_away():
    own = torch.tensor([[1.0, -1.0], [3.0, -3.0]]).repeat(MANY // 2, 1)
    crafted = beyond_deviation(own, stream(0, "draws"))
    assert extremes(crafted[:, 0]) == pytest.approx((-2.0, -1.0), abs=0.01)
    assert extremes(crafted[:, 1]) == pytest.approx((1.0, 2.0), abs=0.01)


def test_a_single_own_update_is_submitted_as_it_is():
    own = updates(1, "own")
    assert torch.equal(beyond_deviation(own, stream(0, "draws")), own)


def test_every_row_is_drawn_for_itself():
    first, second = beyond_range(updates(5, "benign"), torch.ones(12), rows=2, scale=2.0, rng=stream(0, "draws"))
    assert not torch.equal(first, second)
