from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError, Interrupted
from sparring.experiments.jobs.process_pool import pinned_calls
from sparring.experiments.jobs.resumable import run_job, training_job
from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace
from sparring.games.exact.springs import Spring, Springs
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.actor_critic import UpdateSettings
from sparring.learning.calls import pinned_in_turn
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.learner import train
from sparring.learning.meta.actor_critic_reptile import ReptileActorCritic
from sparring.learning.meta.type_lessons import LessonCall
from sparring.learning.search import ConstantActions, CountTable
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.models.tensor_file import tensor_bytes
from sparring.policies.encoder import CountEncoder
from tests.games.pulled_spring import SEAT as LEADER
from tests.games.pulled_spring import PulledSpring

GAMES = tuple(Thresholds(others=3, rounds=rounds, share=share) for rounds, share in ((5, 0.2), (8, 0.5), (6, 0.3)))
ALWAYS = CheckpointInterval(seconds=0, share=float("inf"))
COUNTS = CountEncoder((1, 2, 3, 4, 5, 7), 10)
START = CountTable(10).policy(torch.tensor([-0.8, -0.8, -0.8, 0.6, 0.6, 0.6]), GAMES[0].seats[SEAT])
TINY = ReptileActorCritic(
    UpdateSettings(hidden=(8,)), updates=3, batch=8, memory=20, warmup=2, imitation=5, critic_updates=4, trials=2
)
STEPS = 120


def together(games=GAMES, weights=(1.0, 2.0, 1.0), over="mean"):
    return LearningTask(TypesInTurn([LearningTask(game, SEAT) for game in games], weights, over), SEAT)


def bytes_of(learner, state, task):
    packed = learner.codec(task).pack(state)
    return tensor_bytes("state", described=packed.numbers, tensors=packed.tensors)


def trained(learner, task, *, steps=STEPS, seed=1):
    return learner.improve(learner.initial(task, seed=seed), task, steps=steps, seed=seed)


def worth(policy, task):
    """Return the mean gain of a move, at most 1."""
    moves = np.average([each.game.rounds for each in task.game.tasks], weights=task.game.weights)
    return evaluate_policy(task, policy, episodes=10, seed=99) / moves


@pytest.mark.parametrize("options", [{}, {"drawn": 2}, {"start": START}, {"encoder": COUNTS, "rate": 0.5}])
def test_a_training_that_is_stopped_after_each_iteration_resumes_to_the_same_bytes(options, tmp_path):
    task, learner, stops = together(), replace(TINY, **options), 0
    job = training_job(learner, task, steps=STEPS, seed=1)
    job = replace(job, states=lambda start: train(learner, task, steps=STEPS, seed=1, every=1, start=start))
    while True:
        try:
            found = run_job(job, tmp_path, wants_stop=lambda: True, pace=SavePace(ALWAYS))
            break
        except Interrupted:
            stops += 1
    assert stops >= 5
    assert bytes_of(learner, found, task) == bytes_of(learner, trained(learner, task), task)


@pytest.mark.parametrize("options", [{}, {"drawn": 2, "start": START}])
def test_one_and_two_processes_learn_the_same_bytes(options):
    task, learner = together(), replace(TINY, **options)
    expected = trained(learner, task)
    with pinned_calls(2) as calls:
        there = replace(learner, calls=calls)
        *_, found = train(there, task, steps=STEPS, seed=1, every=1)
        codec = there.codec(task)
        early = codec.unpack(codec.pack(trained(there, task, steps=40, seed=1)))
        resumed = there.improve(early, task, steps=STEPS - early.steps, seed=1)
    assert bytes_of(learner, found, task) == bytes_of(learner, expected, task)
    assert bytes_of(learner, resumed, task) == bytes_of(learner, expected, task)


@dataclass
class Watched:
    """Calls in this process with one shelf, which is lost before certain rounds of calls."""

    lost_before: tuple[int, ...] = ()
    rounds: int = 0

    def __post_init__(self):
        self.shelf, self.sent = {}, []

    def __call__(self, function, arguments, *, pins):
        self.rounds += 1
        self.sent.append([call.place for call in arguments if call.held is not None])
        if self.rounds in self.lost_before:
            self.shelf.clear()
        assert pins == [call.place for call in arguments]
        return [function(call, self.shelf) for call in arguments]


def test_a_memory_is_sent_only_where_it_is_missing():
    task, calls = together(), Watched(lost_before=(4,))
    state = trained(replace(TINY, calls=calls), task)
    # Calls, and their repetition: before the first iteration nothing is held, and before the third it is lost.
    assert calls.sent[:6] == [[], [0, 1, 2], [], [], [0, 1, 2], []]
    assert not any(calls.sent[6:])
    assert bytes_of(TINY, state, task) == bytes_of(TINY, trained(TINY, task), task)


def test_a_memory_of_another_training_is_not_taken_for_the_own():
    task, calls = together(), Watched()
    learner = replace(TINY, calls=calls)
    trained(learner, task, seed=2)
    assert bytes_of(TINY, trained(learner, task), task) == bytes_of(TINY, trained(TINY, task), task)


@dataclass
class Recording:
    """Lessons in this process, the answers of which are kept."""

    def __post_init__(self):
        self.lessons, self.answers = [], []

    def __call__(self, function, arguments, *, pins):
        self.lessons.append(function)
        answers = list(pinned_in_turn(function, arguments, pins=pins))
        self.answers.append(answers)
        return answers


def test_the_meta_policy_moves_to_the_weighted_mean_and_every_lesson_has_fresh_moments():
    task, calls = together(), Recording()
    learner = replace(TINY, calls=calls, rate=0.5)
    state = trained(learner, task)
    answers, before = calls.answers[-1], calls.lessons[-1].networks
    for place, name in enumerate(("actors", "critics", "target_actors", "target_critics")):
        begin = getattr(before, name)
        mean = sum(share * answer.weights[place] for share, answer in zip((0.25, 0.5, 0.25), answers, strict=True))
        torch.testing.assert_close(getattr(state.networks, name), begin + 0.5 * (mean - begin))
        assert not torch.equal(answers[0].weights[place], answers[1].weights[place])
    for networks in (before, state.networks):
        assert networks.updates == networks.actor_moments.steps == networks.critic_moments.steps == 0
        assert not networks.critic_moments.second.any()


def test_a_lesson_does_not_depend_on_other_types_nor_on_moments():
    task, calls = together(), Recording()
    trained(replace(TINY, calls=calls), task, steps=100)
    lessons, shelf = calls.lessons[-1], {}
    assert lessons.updates == TINY.updates
    state = trained(TINY, task, steps=60)
    call = next(each for each in _calls(state) if each.place == 1)
    expected = lessons(call, shelf)
    moved = lessons.networks._replace(critic_moments=lessons.networks.critic_moments._replace(steps=9), updates=1)
    alone = replace(lessons, networks=moved, tasks=[None, lessons.tasks[1], None])
    for one, other in zip(alone(call, {}).weights, expected.weights, strict=True):
        assert torch.equal(one, other)
    assert list(shelf) == [1]


def _calls(state):
    """Return the calls of the iteration that follows on a state, with the memories."""
    from_state = enumerate(state.memories)
    return [LessonCall(place, state.iterations, held.mark, held) for place, held in from_state]


def test_every_memory_holds_the_own_type_alone():
    games = tuple(
        Thresholds(others=0, sampled=2, rounds=4, share=share, steps={1: best}) for share, best in ((0, -1), (1, 1))
    )
    task = together(games, (1.0, 3.0))
    state = trained(replace(TINY, memory=50), task, steps=80)
    assert [held.memory.observations.unique().tolist() for held in state.memories] == [[0.5], [1.0]]
    assert [held.memory.count for held in state.memories] == [40, 40]


def test_types_without_weight_are_not_played_and_types_are_drawn_from_the_prior():
    task = together(weights=(1.0, 0.0, 3.0))
    state = trained(TINY, task)
    assert state.memories[1].memory.count == 0
    assert len(state.returns) == state.iterations == 11
    assert state.steps == 11 * (5 + 6)
    few = trained(replace(TINY, drawn=1), task, steps=400)
    played = [held.memory.count for held in few.memories]
    assert played[1] == 0 < played[0] < played[2]
    assert few.steps == sum(played)


LEARNS = ReptileActorCritic(UpdateSettings(hidden=(16, 16), lr=3e-3), updates=10, batch=64, warmup=5, encoder=COUNTS)


@dataclass(frozen=True)
class Shuffled:
    """A game whose rewards do not belong to the actions: they are drawn from what actions can gain."""

    game: Thresholds

    def __getattr__(self, name):
        return getattr(self.game, name)

    def transition(self, state, actions, *, rng):
        after = self.game.transition(state, actions, rng=rng)
        return replace(after, gain=float(rng.uniform(0.1, 1)))


def best_constant(task):
    policies = [ConstantActions().policy(torch.tensor([action]), task.space) for action in (-0.8, -0.4, 0.0, 0.3, 0.6)]
    return max(worth(policy, task) for policy in policies)


def test_a_policy_for_all_types_is_learned_that_beats_every_constant_action_and_none_from_shuffled_rewards():
    games = tuple(Thresholds(others=3, rounds=10, share=share) for share in (0.2, 0.5))
    task, shuffled = together(games, (1.0, 1.0)), together(tuple(map(Shuffled, games)), (1.0, 1.0))
    found = [worth(LEARNS.policies(trained(LEARNS, each, steps=1000), each)[SEAT], task) for each in (task, shuffled)]
    constant = best_constant(task)
    assert found[0] > constant + 0.1 > 0.7
    assert found[1] < constant


def test_on_springs_it_comes_to_the_point_of_reptile_with_long_adaptations_and_not_to_that_of_joint_training():
    springs = Springs((Spring(stiffness=1, rest=0.3), Spring(stiffness=4, rest=-0.2)))
    tasks = [LearningTask(PulledSpring(each, moves=20), LEADER) for each in springs.types]
    task = LearningTask(TypesInTurn(tasks, [1.0, 1.0]), LEADER)
    settings = UpdateSettings(hidden=(32,), lr=5e-3, discount=1e-3, critics=1, delay=1)
    learner = ReptileActorCritic(settings, updates=200, rate=0.3, batch=32, warmup=5, noise=0.5)
    states = list(train(learner, task, steps=24 * 40, seed=0, every=1))
    pulls = [float(learner.policies(state, task)[LEADER].act(np.zeros(1, np.float32))[0]) for state in states[-8:]]
    assert np.mean(pulls) == pytest.approx(springs.reptile(step=0.2, steps=1000), abs=0.05)
    assert springs.reptile(step=0.2, steps=1000) - springs.bayesian() > 0.1


@pytest.mark.parametrize("over", ["mean", "worst"])
@pytest.mark.parametrize("poor", [False, True])
def test_the_start_is_kept_where_training_did_not_improve_on_it(poor, over):
    start = CountTable(10).policy(torch.full((6,), 0.99), GAMES[0].seats[SEAT]) if poor else START
    task, learner = together(over=over), replace(TINY, start=start)
    state = learner.initial(task, seed=0) if poor else trained(learner, task)
    chosen = learner.choose(state, task, seed=1)
    assert (learner.policies(chosen, task)[SEAT] is start) is not poor
    assert not state.keeps_start


def test_an_imitated_start_plays_as_the_start_does():
    task = together()
    learner = replace(TINY, settings=UpdateSettings(hidden=(32,), lr=3e-3), start=START, encoder=COUNTS, imitation=500)
    state = trained(replace(learner, memory=500, warmup=4), task, steps=4 * 19)
    assert state.iterations == 4
    assert worth(START, task) > 0.99
    assert worth(learner.policies(state, task)[SEAT], task) > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": 0}, "reptile.updates is 0; it must be at least 1"),
        ({"drawn": 0}, "reptile.drawn is 0; it must be at least 1"),
        ({"rate": 0.0}, "reptile.rate is 0.0; it must be positive"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        ReptileActorCritic(**options)


def test_a_task_of_one_game_is_refused():
    with pytest.raises(ConfigError, match=r"^reptile: game .*give a LearningTask of TypesInTurn\(tasks, weights\)$"):
        TINY.initial(LearningTask(GAMES[0], SEAT), seed=0)
