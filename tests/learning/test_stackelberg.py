import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.meta.adaptation import Ascent
from sparring.learning.meta.directions import debiased, first_order
from sparring.learning.stackelberg import MetaStackelberg, bayesian_stackelberg, reptile_learner
from tests.games.exact.spring_games import STEP, pair
from tests.learning.meta.spring_tasks import exact_tasks, noisy_tasks, numbers

ANSWER = Ascent(step=0.9, steps=2)
ONE_STEP = Ascent(STEP)


def ended(learner, coupling, *, steps=40):
    """Return where a learner ends on the pair of springs, and the followers' strategies."""
    domain = exact_tasks(coupling)
    state = learner.initial(domain, numbers(0.9), [numbers(0.0)] * 2)
    state = learner.improve(state, domain, steps=steps, seed=0)
    return state.leader.item(), state


@pytest.mark.parametrize("coupling", [0.0, 1.0], ids=["fixed followers", "followers that answer"])
@pytest.mark.parametrize(
    ("learner", "formula"),
    [
        (bayesian_stackelberg(0.3, answer=ANSWER), lambda game: game.bayesian()),
        (MetaStackelberg(debiased, 1.0, ONE_STEP, ANSWER), lambda game: game.meta(STEP)),
        (MetaStackelberg(first_order, 0.8, ONE_STEP, ANSWER), lambda game: game.first_order(STEP)),
        (reptile_learner(ONE_STEP, answer=ANSWER), lambda game: game.reptile(STEP, 1)),
        (reptile_learner(Ascent(STEP, steps=2), answer=ANSWER), lambda game: game.reptile(STEP, 2)),
        (reptile_learner(Ascent(STEP, steps=10), answer=ANSWER), lambda game: game.reptile(STEP, 10)),
    ],
    ids=["bayesian", "debiased", "first order", "reptile 1", "reptile 2", "reptile 10"],
)
def test_each_learner_ends_at_its_own_formula(learner, formula, coupling):
    found, state = ended(learner, coupling)
    assert found == pytest.approx(formula(pair(coupling)), abs=1e-3)
    if coupling and learner.adaptation.steps == 1:
        reached = [each.adapted(state.leader, STEP) for each in pair(coupling).types]
        answers = [each.answer(end).item() for each, end in zip(pair(coupling).types, reached, strict=True)]
        assert [phi.item() for phi in state.followers] == pytest.approx(answers, abs=1e-3)


def test_types_drawn_from_the_prior_lead_to_the_same_point():
    learner = MetaStackelberg(debiased, 0.1, ONE_STEP, drawn=3)
    assert late_mean(learner, exact_tasks(0.0), steps=160) == pytest.approx(pair(0.0).meta(STEP), abs=0.1)


@pytest.mark.parametrize(
    ("learner", "formula"),
    [
        (bayesian_stackelberg(0.1, answer=ANSWER), lambda game: game.bayesian()),
        (reptile_learner(Ascent(STEP / 4, steps=3), answer=ANSWER), lambda game: game.reptile(STEP / 4, 3)),
    ],
    ids=["bayesian", "reptile"],
)
def test_learning_from_episodes_ends_near_the_formula(learner, formula):
    domain = noisy_tasks(1.0, 0.5, episodes=128)
    assert late_mean(learner, domain, steps=60) == pytest.approx(formula(pair(1.0)), abs=0.1)


def late_mean(learner, domain, *, steps):
    """Return the mean of the leader's strategy over the last three quarters of a training."""
    state, seen = learner.initial(domain, numbers(0.2), [numbers(0.0)] * 2), []
    for _ in range(steps):
        state = learner.improve(state, domain, steps=1, seed=0)
        seen.append(state.leader.item())
    return sum(seen[steps // 4 :]) / (steps - steps // 4)


def test_a_training_resumes_to_the_bit():
    domain = noisy_tasks(1.0, 0.3, episodes=4)
    learner = MetaStackelberg(drawn=2)
    start = learner.initial(domain, numbers(0.1), [numbers(0.0)] * 2)
    whole = learner.improve(start, domain, steps=4, seed=3)
    packed = learner.codec.pack(learner.improve(start, domain, steps=2, seed=3))
    resumed = learner.improve(learner.codec.unpack(packed), domain, steps=2, seed=3)
    assert torch.equal(whole.leader, resumed.leader)
    assert all(map(torch.equal, whole.followers, resumed.followers))
    assert whole[2:] == resumed[2:]
    assert not torch.equal(whole.leader, learner.improve(start, domain, steps=4, seed=4).leader)


def test_the_states_of_a_training_are_those_after_each_iteration():
    domain, learner = noisy_tasks(1.0, 0.3, episodes=4), MetaStackelberg()
    start = learner.initial(domain, numbers(0.1), [numbers(0.0)] * 2)
    states = list(learner.states(start, domain, steps=3, seed=3))
    assert [state.steps for state in states] == [1, 2, 3]
    assert torch.equal(states[-1].leader, learner.improve(start, domain, steps=3, seed=3).leader)
    assert list(learner.states(states[-1], domain, steps=3, seed=3)) == []


def test_a_fixed_follower_stays_as_it_is():
    _, state = ended(MetaStackelberg(answer=ANSWER), 0.0, steps=3)
    assert [phi.item() for phi in state.followers] == [0.0, 0.0]


def test_what_cannot_be_learned_is_refused():
    learner, domain = MetaStackelberg(), exact_tasks(0.0)
    with pytest.raises(ConfigError, match="1 followers for 2 types"):
        learner.initial(domain, numbers(0.0), [numbers(0.0)])
    with pytest.raises(ConfigError, match=r"stackelberg\.drawn is 0"):
        MetaStackelberg(drawn=0)
    with pytest.raises(ConfigError, match=r"ascent\.steps is -1"):
        Ascent(steps=-1)
