import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.learning.sb3 import PPOSettings
from sparring.learning.sb3.snapshot import pack_algorithm
from sparring.learning.training_env import make_vec_env
from tests.learning.sb3.lessons import PPO, arena, trained


def test_the_policy_plays_the_mean_of_the_gaussian():
    algorithm = PPO.algorithm(make_vec_env(arena(), seed=0)).learn(0)
    policy = PPO.policy(pack_algorithm(algorithm))
    for seen in np.linspace(-1, 1, 5, dtype=np.float32)[:, None]:
        np.testing.assert_allclose(policy.act(seen), algorithm.predict(seen, deterministic=True)[0], rtol=1e-5)


def test_a_batch_must_divide_the_rollout_of_all_environments():
    with pytest.raises(ConfigError, match="ppo.batch is 64; it must divide the 96 steps of a rollout"):
        next(trained(arena(environments=2), PPOSettings(rollout=48), steps=100))
    PPOSettings(rollout=48).check(arena().space, environments=4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"batch": 1}, "ppo.batch is 1; advantages are scaled within a batch, use at least 2"),
        ({"clip": 0.0}, "ppo.clip is 0.0; it must be from 1e-12 to 1"),
        ({"trace": 2.0}, "ppo.trace is 2.0; it must be from 0 to 1"),
        ({"entropy": -1.0}, "ppo.entropy is -1.0; it must be from 0 to"),
        ({"epochs": 0}, "ppo.epochs is 0; it must be from 1 to"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        PPOSettings(**wrong)
