"""Springs as learners see them: with exact gradients, or by episodes."""

from dataclasses import dataclass

import torch

from sparring.games.exact.springs import NoisySpring
from sparring.learning.meta.episodes import BlindEpisodes, Episodes
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.learning.meta.policy_gradient import GradientSettings
from sparring.learning.meta.typed_tasks import EpisodicTask, ExactTask
from tests.games.exact.spring_games import pair


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


NOBODY = numbers()
"""The weights of a follower that does nothing."""


def exact_tasks(coupling):
    """Return a task for each type of the pair."""
    return [
        ExactTask(each.leader, each.follower if each.adaptive else None, each.weight) for each in pair(coupling).types
    ]


def noisy_tasks(coupling, deviation, *, episodes=16, baseline="others", **options):
    """Return a task for each type of the pair, in which players pull with noise."""
    policy, settings = GaussianPolicy((0, 1), deviation), GradientSettings(episodes, baseline=baseline)
    players = (policy, policy) if coupling else (policy,)
    games = [NoisySpring(spring=each, deviation=deviation, **options) for each in pair(coupling).types]
    return [EpisodicTask(BlindEpisodes(game, players), settings, weight=0.5) for game in games]


@dataclass
class PreparedEpisodes:
    """Episodes of a noisy spring in which the noise of each batch is given, so that many can be computed at once."""

    game: NoisySpring
    noises: list

    @property
    def policies(self):
        return (GaussianPolicy((0, 1), self.game.deviation),)

    def sample(self, weights, *, episodes, rng):
        seen, noise = torch.zeros(episodes, self.game.steps, 0), self.noises.pop(0)
        actions = self.policies[0].act(weights[0], seen, noise=noise)
        return (Episodes(seen, actions, self.game.rewards(actions)[0], torch.ones(episodes, self.game.steps)),)
