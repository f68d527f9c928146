"""The exact team games that learners are tested on, and how far a policy is on the way to the best one."""

from sparring.games.exact.team import SEAT, QuadraticTeam
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.training_env import LearningTask
from sparring.policies.team import seat_policy

ONE, TWO = LearningTask(QuadraticTeam(), SEAT), LearningTask(QuadraticTeam(steps=2), SEAT)
VARYING = LearningTask(QuadraticTeam(members=7, present=(2, 4, 7)), SEAT)
TASKS = {"one step": ONE, "two steps": TWO, "changing members": VARYING}


def mean_return(task, network, *, episodes=500):
    """Return the mean return of a member's network at all ranks, in fresh episodes."""
    return evaluate_policy(task, seat_policy(network, task.space), episodes=episodes, seed=99)


def progress(task, network):
    """Return the share of the way from uniform actions to the best policy, by the formulas."""
    game = task.game
    return (mean_return(task, network) - game.random_return) / (game.best_return - game.random_return)


def learned(learner, task, *, steps, seed=0):
    """Return the network of a member after a training."""
    state = learner.improve(learner.initial(task, seed=seed), task, steps=steps, seed=seed)
    return learner.policies(learner.choose(state, task, seed=seed), task)[SEAT]


def assert_resumes(learner, task, *, cuts=(7, 3, 19, 19)):
    """Check that a training that was cut and kept on disk goes on to the same bits."""
    codec = learner.codec(task)

    def packed(state):
        snapshot = codec.pack(state)
        return {name: tensor.tolist() for name, tensor in snapshot.tensors.items()}, snapshot.numbers

    cut = learner.initial(task, seed=1)
    whole = learner.improve(cut, task, steps=sum(cuts), seed=1)
    cut = learner.initial(task, seed=1)  # a replay memory is overwritten in place
    for steps in cuts:
        cut = codec.unpack(codec.pack(learner.improve(cut, task, steps=steps, seed=1)))
    assert packed(whole) == packed(cut)
