import numpy as np
import pytest
import torch

from sparring.attacks import ScaledGradientActions
from sparring.contracts import Space, Team
from sparring.errors import ConfigError
from sparring.games.federated import ATTACKER, attack_game, team_game
from sparring.learning.evaluation import episode_returns
from sparring.learning.joint_actions import ORACLE, JointActions, by_halves
from sparring.learning.learner import train
from sparring.learning.training_env import LearningTask
from sparring.policies.team import TeamPolicy
from tests.games.federated.playing import RANGES, scenario

GRID = JointActions(((-1.0,), (0.0,), (1.0,)))


def task():
    game = team_game(scenario(sampled=5), malicious=4, acting=ScaledGradientActions(rescaled=0), rounds=4)
    return LearningTask(game, ATTACKER)


@pytest.mark.parametrize(
    ("share", "factors"),
    [(0.4, [-1, 0.5, 0, 0]), (0.6, [-1, -0.25, 0.5, 0]), (0.8, [-1, -1, 0.5, 0.5]), (0.2, [-0.25])],
)
def test_a_joint_action_is_one_for_each_half_of_the_ranks(share, factors):
    space = Space(observation=2, action=4, team=Team(ranks=4, whole=5))
    policy = TeamPolicy(by_halves(space, [-1.0], [0.5]), space.team)
    answer = policy.act(np.array([0.3, share], np.float32))
    np.testing.assert_allclose(answer[: len(factors)], factors, atol=1e-6)


def test_every_pair_is_a_candidate():
    assert len(GRID.candidates) == 3 + 3
    assert len(set(GRID.candidates)) == 6


def test_the_best_of_the_grid_in_common_episodes_is_chosen():
    own = task()
    state = [*train(GRID, own, steps=120, seed=1)][-1]
    policies = [TeamPolicy(by_halves(own.space, *each), own.space.team) for each in GRID.candidates]
    returns, _ = episode_returns(own, policies, numbers=range(state.episodes), seed=1, name=ORACLE)
    torch.testing.assert_close(state.totals, returns.sum(dim=1))
    best = GRID.candidates[int(returns.sum(dim=1).argmax())]
    assert best == ((-1.0,), (-1.0,))  # under the mean, reversed gradients do most harm
    chosen = TeamPolicy(GRID.policies(state, own)[ATTACKER], own.space.team)
    assert np.all(chosen.act(np.zeros(own.space.observation, np.float32) + 0.4)[:2] == -1)


def test_it_resumes_to_the_same_state():
    own = task()
    whole = [*train(GRID, own, steps=100, seed=1, every=20)]
    codec = GRID.codec(own)
    middle = codec.unpack(codec.pack(whole[0]))
    rest = [*train(GRID, own, steps=100, seed=1, every=20, start=middle)][-1]
    assert torch.equal(rest.totals, whole[-1].totals)
    assert rest[1:] == whole[-1][1:]


def test_what_has_no_team_or_no_action_is_refused():
    alone = LearningTask(attack_game(scenario(), malicious=4, acting=RANGES, rounds=4), ATTACKER)
    with pytest.raises(ConfigError, match="seat 'attacker' has no team"):
        GRID.improve(GRID.initial(alone, seed=0), alone, steps=1, seed=0)
    with pytest.raises(ConfigError, match="joint_actions.grid is empty"):
        JointActions(())
