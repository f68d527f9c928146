"""PPO from a policy, on a game whose best policy is a step function of the number of malicious clients."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.encoded_game import EncodedGame
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.learner import train
from sparring.learning.sb3 import PPOFromStart, PPOSettings
from sparring.learning.search import CountTable
from sparring.learning.training_env import LearningTask
from sparring.random import stream

GAME = Thresholds()
TASK = LearningTask(GAME, SEAT)
SETTINGS = PPOSettings(hidden=(16,), rollout=64, discount=0.5, lr=1e-3)
TABLE = CountTable(GAME.sampled, (1, 4))
START = TABLE.policy(torch.tensor([-0.5, 0.4]), TASK.space)
PPO = PPOFromStart(START, SETTINGS, observed=200, imitation=300)


def answers(policy):
    """Return the actions for few and for many malicious clients."""
    seen = np.zeros((2, TASK.space.observation), dtype=np.float32)
    seen[:, -1] = 1 / GAME.sampled, 5 / GAME.sampled
    return policy(torch.from_numpy(seen)).flatten().tolist()


def same(one, other):
    first, second = (PPO.codec(TASK).pack(each) for each in (one, other))
    return first.numbers == second.numbers and all(
        torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items()
    )


def test_it_begins_as_the_policy_that_it_starts_from():
    state = PPO.initial(TASK, seed=0)
    assert answers(PPO.policies(state, TASK)[SEAT]) == pytest.approx(answers(START), abs=0.05)
    assert state.steps == 200


def test_it_resumes_to_the_same_bytes():
    whole = list(train(PPO, TASK, steps=328, every=64, seed=1))
    codec = PPO.codec(TASK)
    assert len(whole) == 2
    resumed = list(train(PPO, TASK, steps=328, every=64, seed=1, start=codec.unpack(codec.pack(whole[0]))))
    assert same(whole[-1], resumed[-1])
    assert not same(whole[0], whole[1])


def test_the_start_is_kept_where_training_does_not_help(monkeypatch):
    state = PPO.initial(TASK, seed=0)
    for helps in (False, True):
        monkeypatch.setattr("sparring.learning.sb3.from_start.does_better", lambda *_, helps=helps, **__: helps)
        chosen = PPO.choose(state, TASK, seed=0)
        assert (PPO.policies(chosen, TASK)[SEAT] is START) is not helps
        unpacked = PPO.codec(TASK).unpack(PPO.codec(TASK).pack(chosen))
        assert unpacked.keeps_start is not helps


def test_the_chosen_policy_is_not_worse_than_the_start():
    state = PPO.improve(PPO.initial(TASK, seed=0), TASK, steps=1000, seed=0)
    chosen = PPO.policies(PPO.choose(state, TASK, seed=0), TASK)[SEAT]
    values = [evaluate_policy(TASK, policy, episodes=PPO.trials, seed=0) for policy in (START, chosen)]
    assert values[1] >= values[0]


def test_an_encoded_game_is_the_same_game_before_an_encoder():
    game = EncodedGame(GAME, SEAT, START.encoder)
    assert game.seats[SEAT] == replace_observation(GAME.seats[SEAT], 2)
    one, other = (each.initial(stream(3)) for each in (GAME, game))
    seen = torch.from_numpy(GAME.observe(one, SEAT))
    assert game.observe(other, SEAT).tolist() == START.encoder(seen).tolist()
    assert game.is_over(other) == GAME.is_over(one)


def replace_observation(space, size):
    return space._replace(observation=size, is_scaled=False)


@pytest.mark.parametrize(
    ("wrong", "message"), [({"observed": 0}, "ppo.observed is 0"), ({"noise": 0.0}, "ppo.noise is 0.0")]
)
def test_settings_that_cannot_start_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        replace(PPO, **wrong)
