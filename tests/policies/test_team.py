"""A team's policy: ranks as members observe them, absent ranks, and any number of members."""

import numpy as np
import pytest
import torch

from sparring.contracts import Space, Team
from sparring.policies.network import PolicyNetwork
from sparring.policies.team import TeamPolicy, member_space, present_ranks, rank_inputs


def test_the_share_in_an_observation_is_a_count_in_any_federation():
    shares = torch.tensor([[0.0], [0.1], [0.3], [0.9]])
    assert present_ranks(shares, Team(ranks=6, whole=10)).tolist() == [0, 1, 3, 6]
    assert present_ranks(torch.tensor([7 / 200]), Team(50, 200)).item() == 7


@pytest.mark.parametrize("count", range(1, 8))
def test_ranks_are_spaced_evenly_and_symmetric(count):
    ranks = rank_inputs(torch.tensor(count), 8)
    assert torch.allclose(ranks[:count], -ranks[:count].flip(0), atol=1e-6)
    assert ranks[count:].eq(0).all()
    assert ranks[:count].abs().max() < 1
    assert torch.allclose(ranks[:count].diff(), torch.tensor(2 / count))


def test_absent_ranks_act_zero_and_members_depend_on_the_rank_alone():
    space = Space(3, 2 * 4, team=Team(ranks=4, whole=10))
    assert member_space(space) == Space(4, 2)
    weight = torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1.0]])
    policy = TeamPolicy(PolicyNetwork(((weight, torch.zeros(2)),), squash="clip"), Team(4, 10))
    rows = policy.act(np.array([0.5, 0, 0.2], np.float32)).reshape(4, 2)
    assert np.allclose(rows, [[0.5, -0.5], [0.5, 0.5], [0, 0], [0, 0]])
    assert not policy.act(np.array([0.5, 0, 0.0], np.float32)).any()
