from dataclasses import replace

import numpy as np
import pytest

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.sb3 import MSG, RLA_CODE, TD3Settings
from sparring.learning.sb3.snapshot import pack_algorithm
from sparring.learning.training_env import make_vec_env
from tests.games.small_games import Tracking
from tests.learning.sb3.lessons import TD3, arena, trained

LAST_LAYER = Space(observation=1291, action=3)


@pytest.mark.parametrize("settings", [TD3Settings(), RLA_CODE, MSG], ids=["default", "RLA", "MSG"])
def test_the_last_layer_of_a_cnn_can_be_learned_from(settings):
    settings.check(LAST_LAYER, environments=1)


def test_a_buffer_that_is_too_large_is_refused_before_anything_runs():
    class Large(Tracking):
        def initial(self, rng):
            raise AssertionError("this should not be played")

    message = "td3.buffer is 100000; with 3000 numbers seen at each step it takes 2290 MiB, and 512 are allowed: "
    with pytest.raises(ConfigError, match=f"{message}use at most 22358, or let the seat see fewer layers"):
        next(trained(arena(game=Large(size=3000)), RLA_CODE, steps=10))


def test_the_largest_buffer_that_is_offered_is_accepted():
    with pytest.raises(ConfigError, match="use at most 22358"):
        TD3Settings(buffer=22359).check(Space(3000, 3000), environments=1)
    TD3Settings(buffer=22358).check(Space(3000, 3000), environments=1)


def test_the_authors_code_makes_as_many_gradient_steps_as_steps():
    settings = replace(RLA_CODE, hidden=(4,), batch=4, buffer=100, warmup=10)
    for each, made in ((settings, 40), (replace(settings, pace=5), 8)):
        algorithm = each.algorithm(make_vec_env(arena(), seed=0))
        algorithm.learn(50)
        assert algorithm._n_updates == pytest.approx(made, abs=1)


def test_the_policy_plays_as_the_actor_does():
    algorithm = TD3.algorithm(make_vec_env(arena(), seed=0)).learn(0)
    policy = TD3.policy(pack_algorithm(algorithm))
    for seen in np.linspace(-1, 1, 5, dtype=np.float32)[:, None]:
        np.testing.assert_allclose(policy.act(seen), algorithm.predict(seen)[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": 0.0}, "td3.lr is 0.0; it must be from 1e-12 to 1"),
        ({"lr": float("nan")}, "td3.lr is nan"),
        ({"pace": 0}, "td3.pace is 0; it must be from 1 to"),
        ({"discount": 1.5}, "td3.discount is 1.5; it must be from 0 to 1"),
        ({"noise": -0.1}, "td3.noise is -0.1; it must be from 0 to"),
        ({"hidden": (8, 0)}, r"td3.hidden is \[8, 0\]; every layer must have at least 1 unit"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        TD3Settings(**wrong)
