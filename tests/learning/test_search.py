import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.search import ConstantActions, CountTable, CrossEntropySearch, SmallNetworks
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import CountEncoder

GAME = Thresholds()
TASK = LearningTask(GAME, SEAT)
SEARCH = CrossEntropySearch(CountTable(GAME.sampled), episodes=1)
SMALL = CrossEntropySearch(CountTable(GAME.sampled), candidates=6, elites=2, episodes=1, trials=1, kept=4)


def searched(search, *, steps, seed=0):
    state = search.improve(search.initial(TASK, seed=seed), TASK, steps=steps, seed=seed)
    return search.choose(state, TASK, seed=seed)


def worth(policy):
    """Return the share of the best return that a policy gets in fresh episodes."""
    return evaluate_policy(TASK, policy, episodes=30, seed=99) / GAME.rounds


def same(one, other):
    packed, others = (SMALL.codec(TASK).pack(state) for state in (one, other))
    equal = all(torch.equal(tensor, others.tensors[name]) for name, tensor in packed.tensors.items())
    return equal and packed.numbers == others.numbers


@pytest.mark.parametrize("seed", [0, 1])
def test_a_table_over_the_count_comes_within_two_percent_of_the_best_policy(seed):
    state = searched(SEARCH, steps=14_000, seed=seed)
    assert worth(SEARCH.policies(state, TASK)[SEAT]) > 0.98


def test_it_beats_the_best_constant_action():
    constants = CrossEntropySearch(ConstantActions(), episodes=1)
    best = max(worth(constants.family.policy(torch.tensor([a / 10]), TASK.space)) for a in range(-10, 11))
    found = worth(constants.policies(searched(constants, steps=2_000), TASK)[SEAT])
    assert found == pytest.approx(best, abs=0.02)
    assert best < 0.93


def test_rows_of_a_table_with_a_base_are_the_base_plus_their_differences():
    table, based = CountTable(10, counts=(1, 3)), CountTable(10, counts=(1, 3), base=True)
    numbers = torch.tensor([0.2, 0.1, -0.5])
    assert based.size(TASK.space) == table.size(TASK.space) + 1
    for share in (0.1, 0.2, 0.3, 0.9):
        seen = torch.zeros(TASK.space.observation).index_fill(0, torch.tensor([TASK.space.observation - 1]), share)
        answer = based.policy(numbers, TASK.space)(seen)
        torch.testing.assert_close(answer, table.policy(torch.tensor([0.3, -0.3]), TASK.space)(seen))


def test_rows_of_a_table_differ_in_some_numbers_of_the_action_only():
    space = TASK.space._replace(action=2)
    table = CountTable(10, counts=(1, 3), base=True, varied=(1,))
    assert table.size(space) == 4
    policy = table.policy(torch.tensor([0.2, 0.1, -0.5, 0.3]), space)
    for share, expected in ((0.1, [0.2, -0.4]), (0.9, [0.2, 0.4])):
        seen = torch.zeros(space.observation).index_fill(0, torch.tensor([space.observation - 1]), share)
        torch.testing.assert_close(policy(seen), torch.tensor(expected))
    with pytest.raises(ConfigError, match="table.varied needs a common action; use base=True"):
        CountTable(10, varied=(1,))


def test_a_search_begins_at_its_start():
    started = CrossEntropySearch(CountTable(GAME.sampled), start=(0.5,) * 6)
    assert started.initial(TASK, seed=0).mean.tolist() == [0.5] * 6
    with pytest.raises(ConfigError, match=r"search.start has 1 numbers; its policies have 6"):
        CrossEntropySearch(CountTable(GAME.sampled), start=(0.5,)).initial(TASK, seed=0)


def test_shuffled_rewards_teach_nothing():
    class Shuffled(Thresholds):
        """The reward belongs to another action."""

        def reward(self, before, after, *, seat):
            return 1.0 - 0.5 * abs(after.others[0] - 0.5)

    task = LearningTask(Shuffled(), SEAT)
    state = SMALL.improve(SMALL.initial(task, seed=0), task, steps=3_000, seed=0)
    assert worth(SMALL.policies(state, task)[SEAT]) < 0.9


def test_a_search_that_is_cut_anywhere_finds_the_same():
    whole = SMALL.initial(TASK, seed=3)
    cut = SMALL.initial(TASK, seed=3)
    codec = SMALL.codec(TASK)
    for _ in range(3):
        whole = SMALL.advance(whole, TASK, seed=3)
        cut = codec.unpack(codec.pack(SMALL.advance(cut, TASK, seed=3)))
    assert same(SMALL.choose(whole, TASK, seed=3), SMALL.choose(cut, TASK, seed=3))
    assert not same(whole, SMALL.initial(TASK, seed=3))


def test_the_way_in_which_episodes_are_played_changes_nothing():
    def backwards(function, arguments):
        return [function(argument) for argument in reversed(arguments)][::-1]

    other = CrossEntropySearch(SMALL.family, candidates=6, elites=2, episodes=1, trials=1, kept=4, calls=backwards)
    assert same(searched(SMALL, steps=500), searched(other, steps=500))


def test_networks_have_as_many_numbers_as_they_are_made_of():
    encoder = CountEncoder((1, 4), GAME.sampled)
    family = SmallNetworks(hidden=(3,), encoder=encoder)
    assert family.size(TASK.space) == 2 * 3 + 3 + 3 + 1
    policy = family.policy((torch.arange(13.0) - 6) / 13, TASK.space)
    seen = torch.zeros(2, TASK.space.observation)
    seen[1, -1] = 0.5
    answers = policy(seen)
    assert answers.shape == (2, 1)
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    ("wrong", "message"), [({"elites": 9, "candidates": 6}, "candidates / elites"), ({"episodes": 0}, "episodes is 0")]
)
def test_settings_that_cannot_search_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        CrossEntropySearch(ConstantActions(), **wrong)
