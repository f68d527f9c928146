"""Followers that answer the adapted leader, on springs that are played as games."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.experiments.jobs.process_pool import pinned_calls
from sparring.games.exact.springs import Spring, Springs
from sparring.learning.actor_critic import UpdateSettings
from sparring.learning.learner import train
from sparring.learning.meta.actor_critic_reptile import ReptileActorCritic
from sparring.learning.meta.follower_answers import FollowerAnswers
from sparring.learning.search import ConstantActions, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.models.tensor_file import tensor_bytes
from tests.games.pulled_spring import FOLLOWER, PulledSpring
from tests.games.pulled_spring import SEAT as LEADER

SPRINGS = Springs(
    (Spring(stiffness=1, rest=0.6, coupling=0.5), Spring(stiffness=4, rest=-0.2, coupling=0.5)),
)
FIRST = -0.8
"""The strategy of all followers before they answer."""
SEARCH = CrossEntropySearch(
    ConstantActions(), 8, 2, episodes=1, deviation=0.3, extra=0.02, fading=10**6, start=(FIRST,)
)
ANSWERS = FollowerAnswers({0: SEARCH, 1: SEARCH}, FOLLOWER)
SETTINGS = UpdateSettings(hidden=(32,), lr=5e-3, discount=1e-3, critics=1, delay=1)
LEARNER = ReptileActorCritic(SETTINGS, updates=200, rate=0.3, batch=32, memory=200, warmup=5, noise=0.5)
TINY = replace(LEARNER, settings=UpdateSettings(hidden=(8,)), updates=2, batch=8, memory=20, warmup=2, answers=ANSWERS)


def springs_task(moves=5):
    """Return the leader's task against both types, whose followers play their first strategy."""
    first = ConstantActions().policy(torch.tensor([FIRST]), PulledSpring(SPRINGS.types[0]).seats[FOLLOWER])
    tasks = [LearningTask(PulledSpring(each, moves), LEADER, {FOLLOWER: first}) for each in SPRINGS.types]
    return LearningTask(TypesInTurn(tasks, [1.0, 1.0]), LEADER)


def pull_of(policy):
    return float(policy.act(np.zeros(1, np.float32))[0])


def ended(learner, *, iterations):
    """Return the leader's mean pull in the last iterations, and the last answers."""
    task, state, pulls = springs_task(moves=20), None, []
    state = learner.initial(task, seed=0)
    while state.iterations < iterations:
        state = learner.improve(state, task, steps=1, seed=0)
        pulls.append(pull_of(learner.policies(state, task)[LEADER]))
    answers = learner.followers(state, task)
    return np.mean(pulls[-8:]), [pull_of(answers[place]) for place in sorted(answers)]


def answered_point():
    """Return the limit of long adaptations that are answered."""
    return SPRINGS.reptile(step=0.2, steps=1000)


def frozen_point():
    """Return the limit of long adaptations to the followers' first strategy: the mean of the types' optima."""
    return np.mean([each.rest + each.coupling * FIRST / each.stiffness for each in SPRINGS.types])


def test_the_points_of_both_branches_differ():
    assert answered_point() - frozen_point() > 0.15


def test_with_answers_the_leader_comes_to_the_point_of_the_answered_game():
    pull, answers = ended(replace(LEARNER, answers=ANSWERS), iterations=40)
    assert pull == pytest.approx(answered_point(), abs=0.05)
    # Each follower answers the leader that is adapted to it, not the common one.
    expected = [
        float(each.answer(each.stiffness * each.rest / (each.stiffness + each.strength))) for each in SPRINGS.types
    ]
    assert answers == pytest.approx(expected, abs=0.1)


def test_without_answers_it_comes_to_the_point_of_the_frozen_followers():
    pull, answers = ended(LEARNER, iterations=40)
    assert pull == pytest.approx(frozen_point(), abs=0.05)
    assert answers == []


def bytes_of(learner, state, task):
    packed = learner.codec(task).pack(state)
    return tensor_bytes("state", described=packed.numbers, tensors=packed.tensors)


def trained(learner, task, *, steps=400):
    return learner.improve(learner.initial(task, seed=1), task, steps=steps, seed=1)


def test_a_training_with_answers_resumes_to_the_bit():
    task = springs_task()
    codec, expected = TINY.codec(task), trained(TINY, task)
    state = TINY.initial(task, seed=1)
    while state.steps < 400:
        state = codec.unpack(codec.pack(TINY.improve(state, task, steps=1, seed=1)))
    assert bytes_of(TINY, state, task) == bytes_of(TINY, expected, task)
    assert [each.generation for each in state.followers] == [state.iterations - TINY.warmup] * 2 != [0, 0]


def test_one_and_two_processes_learn_the_same_answers():
    task = springs_task()
    with pinned_calls(2) as calls:
        there = replace(TINY, calls=calls)
        *_, found = train(there, task, steps=400, seed=1, every=1)
    assert bytes_of(TINY, found, task) == bytes_of(TINY, trained(TINY, task), task)


def test_a_follower_without_a_learner_stays_as_it_is():
    task = springs_task()
    learner = replace(TINY, answers=FollowerAnswers({1: SEARCH}, FOLLOWER))
    state = trained(learner, task)
    assert state.followers[0] is None
    assert list(learner.followers(state, task)) == [1]
    assert learner.codec(task).unpack(learner.codec(task).pack(state)).followers[0] is None


def test_steps_of_answers_count():
    task = springs_task()
    state = trained(TINY, task)
    played = sum(held.memory.count for held in trained(replace(TINY, memory=10_000), task).memories)
    assert state.steps == played + sum(each.steps for each in state.followers)


def test_an_answer_of_no_steps_is_refused():
    with pytest.raises(ConfigError, match=r"^answers\.steps is 0; it must be at least 1"):
        FollowerAnswers({}, FOLLOWER, steps=0)
