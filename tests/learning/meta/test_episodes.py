"""Episodes of games of the house, and learning from them."""

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.meta.adaptation import Ascent, adapt_leader
from sparring.learning.meta.episodes import GameEpisodes
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.learning.meta.policy_gradient import GradientSettings
from sparring.learning.meta.typed_tasks import EpisodicTask
from sparring.learning.stackelberg import MetaStackelberg
from sparring.random import stream
from tests.games.small_games import Tracking


def thresholds(best):
    return Thresholds({1: best}, others=1, rounds=2)


def source(game, deviation=0.3):
    return GameEpisodes(game, {SEAT: GaussianPolicy((2, 1), deviation)})


def test_episodes_are_what_was_seen_drawn_and_gained():
    weights = torch.tensor([0.0, 0.0, 0.9])
    (episodes,) = source(thresholds(1.0), 0.5).sample([weights], episodes=5, rng=stream(0, "play"))
    assert [tuple(each.shape) for each in episodes] == [(5, 2, 2), (5, 2, 1), (5, 2), (5, 2)]
    assert (episodes.actions.abs() > 1).any()
    gains = 1 - (1 - episodes.actions.squeeze(-1).clamp(-1, 1)) / 2
    assert torch.allclose(episodes.rewards.float(), gains, atol=1e-6)
    (again,) = source(thresholds(1.0), 0.5).sample([weights], episodes=5, rng=stream(0, "play"))
    assert all(map(torch.equal, episodes, again))


def test_a_policy_adapts_to_the_game_it_is_in():
    tasks = [EpisodicTask(source(thresholds(best)), GradientSettings(12)) for best in (0.8, -0.8)]
    learner = MetaStackelberg(rate=0.02, adaptation=Ascent(0.1, steps=3))
    state = learner.initial(tasks, torch.zeros(3))
    state = learner.improve(state, tasks, steps=2, seed=0)
    actions = []
    for task in tasks:
        adapted = adapt_leader(task, state.leader, torch.zeros(0), Ascent(0.1, steps=6), stream(0, "adapt")).end
        network = task.source.policies[0].network(adapted)
        actions.append(float(network.act(np.array([0.0, 0.2], dtype=np.float32))[0]))
    assert actions[0] > 0.1
    assert actions[1] < -0.1


def test_seats_of_one_game_have_episodes_of_their_own():
    game, policy = Tracking(moves=3, names=("one", "other", "third")), GaussianPolicy((1, 1))
    fixed = policy.network(torch.zeros(2))
    played = GameEpisodes(game, {"one": policy, "other": policy}, {"third": fixed})
    weights = [torch.tensor([-1.0, 0.0]), torch.tensor([0.0, 0.0])]
    task = EpisodicTask(played, GradientSettings(6))
    one, other = played.sample(weights, episodes=6, rng=stream(0, "play"))
    assert torch.equal(one.observations, other.observations)
    assert not torch.equal(one.actions, other.actions)
    assert one.rewards.sum() > other.rewards.sum()
    assert task.adaptive
    assert task.leader(*weights, stream(0, "play")).value == pytest.approx(float(one.rewards.sum() / 6))
    assert task.follower(*weights, stream(0, "play")).value == pytest.approx(float(other.rewards.sum() / 6))


def test_policies_that_do_not_fit_the_game_are_refused():
    game = Tracking(names=("one", "other"))
    with pytest.raises(ConfigError, match="given for the seats 'one'; the game's are 'one', 'other'"):
        GameEpisodes(game, {"one": GaussianPolicy((1, 1))})
    with pytest.raises(ConfigError, match=r"seat 'other' has widths.*use 1 inputs and 1 outputs"):
        GameEpisodes(game, {"one": GaussianPolicy((1, 1)), "other": GaussianPolicy((2, 1))})
