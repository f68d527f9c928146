"""Independent learners and policy search on the exact team."""

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.games.exact.team import SEAT
from sparring.learning.actor_critic.updates import UpdateSettings
from sparring.learning.multi_agent.independent import IndependentLearners
from sparring.learning.multi_agent.ranked_policies import RankedPolicies
from sparring.learning.multi_agent.shared_ppo import SharedPPO
from sparring.learning.search import ConstantActions, CountTable, CrossEntropySearch, SmallNetworks
from sparring.learning.training_env import LearningTask
from sparring.policies.team import member_space
from sparring.random import stream
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


class TestSharedPPO:
    SMALL = SharedPPO(hidden=(32, 32), lr=3e-3, epochs=8)
    TINY = SharedPPO(hidden=(8,), rollout=8, epochs=2, batch=4)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("task", [ONE, TWO], ids=["one step", "two steps"])
    def test_a_team_gets_95_percent_of_the_way_to_the_best_return(self, task, seed):
        assert progress(task, learned(self.SMALL, task, steps=2560, seed=seed)) > 0.95

    def test_training_resumes_to_the_same_bits(self):
        assert_resumes(self.TINY, TASKS["changing members"], cuts=(8, 16, 24))

    def test_what_absent_ranks_draw_changes_no_weight(self):
        task = TASKS["changing members"]
        state, env = self.TINY.initial(task, seed=0), SeatEnv(task.game, SEAT)
        env.restore(state.env)
        state, played = self.TINY._play(state, env, task=task, seed=0)
        absent = ~self.TINY._shape(task).find_present(played.seen)
        other = played._replace(drawn=torch.where(absent[..., None], 0.3, played.drawn))
        assert absent.any()
        one, two = (self.TINY._learn(state, each, task=task, rng=stream(0)) for each in (played, other))
        assert torch.equal(one.actor, two.actor)
        assert torch.equal(one.value, two.value)

    def test_it_needs_a_team(self):
        with pytest.raises(ConfigError, match=r"^seat 'player' has no team; shared_ppo learns that of a team$"):
            self.TINY.initial(LearningTask(Tracking(), "player"), seed=0)
