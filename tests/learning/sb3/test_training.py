from dataclasses import dataclass, field, replace

import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.sb3 import PPOSettings, TD3Settings
from sparring.learning.training_env import LearningTask
from tests.games.small_games import Endless, Tracking
from tests.learning.sb3.lessons import PPO, TD3, arena, digest, lesson, misses, through_disk, trained

EITHER = pytest.mark.parametrize("settings", [TD3, PPO], ids=["td3", "ppo"])
EXAMPLES = {
    "td3": (TD3, 1),
    "td3 with an optimizer that has not begun": (replace(TD3, warmup=60), 1),
    "td3 that forgets": (replace(TD3, buffer=40), 1),
    "td3 in two environments": (TD3, 2),
    "ppo": (PPO, 1),
    "ppo in two environments": (PPO, 2),
}


@pytest.mark.parametrize(
    "settings",
    [
        TD3Settings(hidden=(16, 16), batch=32, warmup=100, pace=2, lr=5e-3, discount=0),
        PPOSettings(hidden=(16,), rollout=64, batch=32, lr=1e-2, discount=0),
    ],
    ids=["td3", "ppo"],
)
def test_a_game_with_a_known_answer_is_learned(settings):
    first, *_, last = lesson(settings, steps=1000, every=500)
    assert misses(last) < 0.02 < 0.27  # the second is what standing still misses by
    assert sum(last.returns) / len(last.returns) > sum(first.returns) / len(first.returns)


@EITHER
def test_equal_seeds_learn_the_same_to_the_bit(settings):
    assert [digest(each) for each in lesson(settings)] == [digest(each) for each in lesson(settings)]


@EITHER
def test_the_horizon_of_a_game_is_its_end_for_a_learner(settings):
    ended, cut = (list(trained(arena(game), settings, steps=64)) for game in (Tracking(), Endless()))
    assert [digest(each) for each in ended] == [digest(each) for each in cut]


@EITHER
def test_other_seeds_learn_something_else(settings):
    one, other = (next(trained(arena(), settings, steps=32, seed=seed)) for seed in (0, 1))
    assert digest(one) != digest(other)


@pytest.mark.parametrize(("settings", "environments"), EXAMPLES.values(), ids=EXAMPLES)
def test_training_that_was_killed_after_any_chunk_goes_on_to_the_same_bits(settings, environments):
    whole = list(lesson(settings, environments=environments))
    for chunk in (0, 1):
        start = through_disk(whole[chunk].packed)
        rest = lesson(settings, start=start, environments=environments)
        assert [digest(each) for each in rest] == [digest(each) for each in whole[chunk + 1 :]]


@dataclass(frozen=True)
class Failing(Tracking):
    """Breaks down in the middle of the second chunk: every step asks twice whether the game is over."""

    left: list[int] = field(default_factory=lambda: list(range(2 * 48)))

    def is_over(self, state):
        if not self.left:
            raise KeyboardInterrupt
        self.left.pop()
        return state.moves == self.moves


@EITHER
def test_a_kill_in_the_middle_costs_the_chunk_and_nothing_else(settings):
    whole, seen = [digest(each) for each in lesson(settings)], []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(trained(LearningTask(Failing(), "player"), settings, steps=96, every=32))
    assert [digest(each) for each in seen] == whole[:1]
    assert [digest(each) for each in lesson(settings, start=seen[-1].packed)] == whole[1:]


@EITHER
def test_how_it_is_cut_into_chunks_does_not_matter(settings):
    ends = [list(lesson(settings, every=every))[-1].packed for every in (32, 48, 10**6)]
    assert all(torch.equal(end.tensors[name], tensor) for end in ends for name, tensor in ends[0].tensors.items())


def test_a_snapshot_does_not_change_as_training_goes_on():
    training = lesson(TD3)
    first = next(training)
    before = digest(first)
    assert len(list(training)) == 2
    assert digest(first) == before


def test_a_snapshot_that_was_gone_on_from_does_not_change():
    first = next(lesson(TD3, steps=64, every=64))
    before = digest(first)
    assert len(list(lesson(TD3, start=first.packed))) == 1
    assert digest(first) == before


def test_chunks_end_with_a_gradient_step():
    assert [each.steps for each in lesson(TD3, steps=25, every=10)] == [12, 24, 28]


def test_of_a_training_that_is_over_nothing_is_yielded():
    *_, last = lesson(PPO)
    assert list(lesson(PPO, start=last.packed)) == []


def test_every_finished_episode_is_returned_once():
    chunks = list(lesson(TD3, every=33))
    assert sum(len(each.returns) for each in chunks) == 96 // 5
    assert [gain for each in chunks for gain in each.returns] == [
        gain for each in lesson(TD3, every=96) for gain in each.returns
    ]


@pytest.mark.parametrize("name", ["steps", "every"])
def test_there_is_something_to_do(name):
    with pytest.raises(ConfigError, match=f"{name} is 0; it must be at least 1"):
        next(lesson(TD3, **{name: 0}))


@pytest.mark.parametrize("change", [{"settings": replace(TD3, lr=0.1)}, {"environments": 2}])
def test_a_snapshot_of_another_training_is_refused(change):
    first = next(lesson(TD3))
    with pytest.raises(ConfigError, match="start comes from TD3Settings"):
        next(lesson(**{"settings": TD3, "start": first.packed, **change}))
