import pytest
import torch

from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.actor_critic import ActorCritic, UpdateSettings
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.search import CountTable
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import CountEncoder
from sparring.policies.network import PolicyNetwork

GAME = Thresholds(others=3, rounds=5)
TASK = LearningTask(GAME, SEAT)
TINY = UpdateSettings(hidden=(16, 16))
COUNTS = CountEncoder((1, 2, 3, 4, 5, 7), GAME.sampled)
START = CountTable(GAME.sampled).policy(torch.tensor([-0.8, -0.8, -0.8, 0.6, 0.6, 0.6]), TASK.space)


def worth(policy):
    return evaluate_policy(TASK, policy, episodes=20, seed=99) / GAME.rounds


def packed(learner, state):
    snapshot = learner.codec(TASK).pack(state)
    return {name: tensor.tolist() for name, tensor in snapshot.tensors.items()}, snapshot.numbers


@pytest.mark.parametrize("start", [None, START])
def test_training_that_was_cut_and_kept_on_disk_goes_on_to_the_same_bits(start):
    learner = ActorCritic(TINY, batch=8, memory=30, warmup=10, pace=2, start=start, imitation=5, critic_updates=3)
    whole = learner.improve(learner.initial(TASK, seed=1), TASK, steps=48, seed=1)
    codec, cut = learner.codec(TASK), learner.initial(TASK, seed=1)
    for steps in (7, 3, 19, 19):
        cut = codec.unpack(codec.pack(learner.improve(cut, TASK, steps=steps, seed=1)))
    assert packed(learner, whole) == packed(learner, cut)
    assert len(whole.returns) == 9


def test_other_seeds_learn_something_else():
    learner = ActorCritic(TINY, batch=8, warmup=5, pace=1)
    one, other = (learner.improve(learner.initial(TASK, seed=seed), TASK, steps=12, seed=seed) for seed in (0, 1))
    assert not torch.equal(one.networks.actors, other.networks.actors)


def test_an_imitated_start_plays_as_the_start_does():
    learner = ActorCritic(TINY, warmup=200, start=START, imitation=1500, critic_updates=1, encoder=COUNTS)
    state = learner.improve(learner.initial(TASK, seed=0), TASK, steps=200, seed=0)
    assert worth(START) > 0.99
    assert worth(learner.policies(state, TASK)[SEAT]) > 0.97


def test_a_step_function_of_the_count_is_learned_from_its_one_hot():
    learner = ActorCritic(UpdateSettings(hidden=(32, 32)), batch=64, warmup=200, pace=1, encoder=COUNTS)
    state = learner.initial(TASK, seed=0)
    before = worth(learner.policies(state, TASK)[SEAT])
    state = learner.improve(state, TASK, steps=1500, seed=0)
    assert worth(learner.policies(state, TASK)[SEAT]) > max(0.9, before)


@pytest.mark.parametrize("poor", [False, True])
def test_the_start_is_kept_where_training_did_not_improve_on_it(poor):
    start = CountTable(GAME.sampled).policy(torch.full((6,), 0.9), TASK.space) if poor else START
    learner = ActorCritic(TINY, warmup=10, pace=1, batch=8, start=start, imitation=1, critic_updates=1)
    state = learner.initial(TASK, seed=0)
    trained = state if poor else learner.improve(state, TASK, steps=20, seed=0)
    assert (worth(learner.policies(trained, TASK)[SEAT]) > worth(start)) is poor
    chosen = learner.choose(trained, TASK, seed=1)
    assert (learner.policies(chosen, TASK)[SEAT] is start) is not poor
    assert not trained.keeps_start


def test_the_memory_holds_what_the_encoder_leaves_of_an_observation():
    encoder = CountEncoder((1, 4), GAME.sampled)
    start = PolicyNetwork(((torch.zeros(1, 2), torch.zeros(1)),), squash="clip", encoder=encoder)
    small = {"warmup": 20, "imitation": 5, "critic_updates": 1, "batch": 8}
    shared = ActorCritic(TINY, start=start, encoder=encoder, **small)
    other = ActorCritic(TINY, start=start, encoder=CountEncoder((1, 4), GAME.sampled), **small)
    states = [each.improve(each.initial(TASK, seed=0), TASK, steps=60, seed=0) for each in (shared, other)]
    widths = [state.memory.widths[0] for state in states]
    assert widths == [2, TASK.space.observation]
    assert torch.equal(*(state.networks.actors for state in states)), "what is learned is the same"
