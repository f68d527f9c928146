import json

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from pettingzoo.test import parallel_api_test, parallel_seed_test
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

from sparring.errors import ConfigError, PluginError, SparringError
from sparring.games import SeatEnv, SeatsEnv
from sparring.snapshot import Codec, Snapshot
from tests.games.small_games import Broken, Endless, Still, Tracking

PAIR = Tracking(size=2, names=("left", "right"))
OPPONENTS = {"right": Still(2)}
FULL = np.ones(1, dtype=np.float32)


def one_seat(**settings):
    return SeatEnv(Tracking(**settings), "player")


def through_json(packed):
    return Snapshot(packed.tensors, json.loads(json.dumps(packed.numbers)))


def play(env, moves):
    """Make the same moves as ever, and return all that the env answers."""
    rng = np.random.default_rng(1)
    return [env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)) for _ in range(moves)]


@pytest.mark.parametrize("is_scaled", [True, False])
class TestSeatEnvIsWhatItsUsersExpect:
    def test_gymnasium_finds_no_fault(self, is_scaled):
        check_by_gymnasium(one_seat(is_scaled=is_scaled), skip_render_check=True)

    def test_stable_baselines_finds_no_fault(self, is_scaled):
        check_by_stable_baselines(one_seat(is_scaled=is_scaled))

    def test_all_and_only_what_a_seat_can_see_is_in_its_space(self, is_scaled):
        space = one_seat(is_scaled=is_scaled).observation_space
        assert space.contains(np.array([1.5], dtype=np.float32)) is not is_scaled
        assert not space.contains(np.array([np.inf], dtype=np.float32))
        assert not space.contains(np.array([np.nan], dtype=np.float32))


class TestSeatsEnvIsWhatItsUsersExpect:
    def test_pettingzoo_finds_no_fault(self, capsys):
        parallel_api_test(SeatsEnv(PAIR), num_cycles=30)
        assert "Passed" in capsys.readouterr().out

    def test_equal_seeds_give_equal_games(self):
        parallel_seed_test(lambda: SeatsEnv(PAIR), num_cycles=20)

    def test_all_seats_leave_when_the_game_is_over(self):
        env = SeatsEnv(Tracking(moves=1, names=("left", "right")))
        env.reset(seed=0)
        _, _, terminated, truncated, _ = env.step({"left": FULL, "right": FULL})
        assert terminated == {"left": True, "right": True}
        assert truncated == {"left": False, "right": False}
        assert env.agents == []


def test_a_seat_plays_the_same_game_in_both_envs():
    alone, together = SeatEnv(PAIR, "left", opponents=OPPONENTS), SeatsEnv(PAIR)
    np.testing.assert_array_equal(alone.reset(seed=3)[0], together.reset(seed=3)[0]["left"])
    for action in np.linspace(-1, 1, 2 * PAIR.moves, dtype=np.float32).reshape(-1, 2):
        seen, reward, terminated, _, _ = alone.step(action)
        answers = together.step({"left": action, "right": np.zeros(2, dtype=np.float32)})
        np.testing.assert_array_equal(seen, answers[0]["left"])
        assert (reward, terminated) == (answers[1]["left"], answers[2]["left"])


def test_a_game_that_reaches_its_horizon_is_truncated_in_both_envs():
    alone, together = SeatEnv(Endless(moves=2), "player"), SeatsEnv(Endless(moves=2))
    alone.reset(seed=0), together.reset(seed=0)
    assert [alone.step(FULL)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    endings = [together.step({"player": FULL})[2:4] for _ in range(2)]
    assert [(ended["player"], cut["player"]) for ended, cut in endings] == [(False, False), (False, True)]
    assert together.agents == []


def test_a_game_at_its_horizon_takes_no_step():
    env = SeatEnv(Endless(moves=1), "player")
    env.reset(seed=0)
    env.step(FULL)
    with pytest.raises(SparringError, match="the game is over"):
        env.step(FULL)


def test_opponents_play_by_what_they_see():
    class Right:
        def act(self, observation):
            return -observation

    env = SeatEnv(PAIR, "left", opponents={"right": Right()})
    before, _ = env.reset(seed=0)
    env.step(-before)
    np.testing.assert_allclose(env.match.state.last, np.zeros(4), atol=1e-6)


@pytest.mark.parametrize("moves", [0, 2, 4])
def test_a_restored_env_goes_on_alike(moves):
    env = one_seat()
    env.reset(seed=5)
    play(env, moves)
    copy = one_seat()
    copy.restore(through_json(env.snapshot()))
    assert play(copy, 5 - moves) == play(env, 5 - moves)
    np.testing.assert_array_equal(copy.reset()[0], env.reset()[0])


def test_restored_seats_go_on_alike():
    env, copy = SeatsEnv(PAIR), SeatsEnv(PAIR)
    env.reset(seed=5)
    copy.restore(through_json(env.snapshot()))
    actions = dict.fromkeys(PAIR.seats, np.full(2, 0.5, dtype=np.float32))
    while env.agents:
        assert copy.agents == env.agents
        assert repr(copy.step(actions)) == repr(env.step(actions))
    copy.restore(through_json(env.snapshot()))
    assert copy.agents == []


def test_a_snapshot_stays_as_it_is_when_the_game_packs_what_is_its_own():
    class Sharing(Tracking):
        own = Snapshot({"goal": torch.zeros(1)}, {"known": {}})
        codec = Codec(lambda state: Sharing.own, None)

    env = SeatEnv(Sharing(), "player")
    env.reset(seed=0)
    snapshot = env.snapshot()
    Sharing.own.tensors["goal"].add_(1)
    Sharing.own.numbers["known"]["worth"] = 1.0
    assert snapshot.tensors["goal"] == 0
    assert snapshot.numbers["state"] == {"known": {}}


def test_actions_are_cut_off_and_not_edited():
    env, action = one_seat(), np.array([7], dtype=np.float32)
    action.flags.writeable = False
    seen, _ = env.reset(seed=0)
    _, reward, *_ = env.step(action)
    assert reward == pytest.approx(-((seen[0] + 1) ** 2))
    assert action == 7


def test_what_is_seen_is_the_players_own():
    env = one_seat()
    seen, _ = env.reset(seed=0)
    seen[:] = 100
    assert abs(env.match.seen("player")) < 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"seen": np.array([np.nan])}, "Broken.observe gave 'player' numbers that are not finite"),
        ({"seen": np.array([2.0])}, r"numbers from 2.0 to 2.0; they must lie in \[-1, 1\]"),
        ({"seen": np.zeros(3)}, r"numbers of shape \(3,\); its space has \(1,\)"),
    ],
)
def test_a_game_that_shows_what_it_must_not_is_blamed(fault, message):
    with pytest.raises(PluginError, match=message):
        SeatEnv(Broken(**fault), "player").reset(seed=0)


def test_a_reward_that_is_not_finite_is_blamed_on_the_game():
    env = SeatEnv(Broken(gain=float("nan")), "player")
    env.reset(seed=0)
    with pytest.raises(PluginError, match="Broken.reward gave 'player' nan; it must be a finite number"):
        env.step(FULL)


@pytest.mark.parametrize("action", [[np.nan], [np.inf], [0.0, 0.0]])
def test_an_action_that_is_none_is_refused(action):
    env = one_seat()
    env.reset(seed=0)
    with pytest.raises(PluginError, match="the action of seat 'player' is .*; it must be 1 finite numbers"):
        env.step(np.array(action, dtype=np.float32))


def test_a_seat_without_an_action_is_named():
    env = SeatsEnv(PAIR)
    env.reset(seed=0)
    with pytest.raises(SparringError, match="seat 'right' has no action; give one for each of: left, right"):
        env.step({"left": np.zeros(2, dtype=np.float32)})


def test_the_first_step_needs_a_reset():
    with pytest.raises(SparringError, match="call reset first"):
        one_seat().step(FULL)


def test_a_game_that_is_over_takes_no_step():
    env = one_seat(moves=1)
    env.reset(seed=0)
    assert env.step(FULL)[2]
    with pytest.raises(SparringError, match="the game is over"):
        env.step(FULL)


@pytest.mark.parametrize(
    ("seat", "opponents"),
    [("left", {}), ("left", {"left": Still(2), "right": Still(2)}), ("up", OPPONENTS), ("left", {"up": Still(2)})],
)
def test_every_other_seat_needs_a_policy(seat, opponents):
    with pytest.raises(ConfigError, match="the game's seats are left, right, and all but one need a policy"):
        SeatEnv(PAIR, seat, opponents=opponents)
