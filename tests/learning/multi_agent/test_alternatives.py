"""Independent learners and policy search on the exact team."""

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.exact.team import SEAT
from sparring.learning.actor_critic.updates import UpdateSettings
from sparring.learning.multi_agent.independent import IndependentLearners
from sparring.learning.multi_agent.ranked_policies import RankedPolicies
from sparring.learning.search import ConstantActions, CountTable, CrossEntropySearch, SmallNetworks
from sparring.learning.training_env import LearningTask
from sparring.policies.team import member_space
from tests.games.small_games import Tracking
from tests.learning.multi_agent.teams import ONE, TASKS, TWO, assert_resumes, learned, mean_return, progress

INDEPENDENT = IndependentLearners(
    UpdateSettings(hidden=(32, 32), averaging=0.01), batch=1024, warmup=300, pace=2, noise=0.3
)
TINY = IndependentLearners(UpdateSettings(hidden=(8,)), batch=8, memory=40, warmup=10, pace=2)


def test_independent_learners_end_at_the_best_common_action():
    game = ONE.game
    found = np.mean([mean_return(ONE, learned(INDEPENDENT, ONE, steps=3000, seed=seed)) for seed in range(3)])
    assert found == pytest.approx(game.best_return_without_ranks, rel=0.05)
    assert found < game.best_return - 0.1


def test_the_rank_does_not_change_what_independent_learners_do():
    network = learned(TINY, ONE, steps=30)
    seen = torch.tensor([[0.3, 1.0, 1.0, rank] for rank in (-0.8, 0.0, 0.8)])
    assert network(seen).unique().numel() == 1


def test_independent_training_resumes_to_the_same_bits():
    assert_resumes(TINY, TASKS["changing members"])


def test_independent_learners_need_a_team():
    with pytest.raises(ConfigError, match=r"^seat 'player' has no team; independent learners are members of one$"):
        TINY.initial(LearningTask(Tracking(), "player"), seed=0)


@pytest.mark.parametrize("task", [ONE, TWO], ids=["one step", "two steps"])
def test_a_search_over_lines_in_state_and_rank_finds_the_best_policy(task):
    search = CrossEntropySearch(SmallNetworks(), candidates=16, elites=4, episodes=6)
    assert progress(task, learned(search, task, steps=6000)) > 0.95


def test_a_search_over_counts_has_a_line_in_the_rank():
    family = RankedPolicies(CountTable(7, (2, 4, 7)))
    space = member_space(TASKS["changing members"].space)
    assert family.size(space) == 4
    policy = family.policy(torch.tensor([0.1, 0.2, 0.3, -0.5]), space)
    seen = torch.tensor([[0.5, 1.0, 2 / 7, 0.5], [0.5, 1.0, 5 / 7, -0.5], [0.5, 1.0, 1.0, 0.0]])
    torch.testing.assert_close(policy(seen).squeeze(1), torch.tensor([-0.15, 0.45, 0.3]))


def test_constant_actions_of_a_team_are_the_same_at_all_ranks():
    search = CrossEntropySearch(ConstantActions(), candidates=6, elites=2)
    network = learned(search, ONE, steps=60)
    assert network(torch.tensor([[0.1, 1.0, 1.0, rank] for rank in (-0.8, 0.8)])).unique().numel() == 1
    assert learned(search, ONE, steps=60).layers[0][1].equal(network.layers[0][1])
    assert SEAT in search.policies(search.initial(ONE, seed=0), ONE)
