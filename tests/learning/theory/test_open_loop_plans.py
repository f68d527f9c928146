import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.theory.open_loop_plans import PlanAscent, best_plan
from sparring.random import stream

GOAL = torch.tensor([[0.5, -0.25], [0.0, 0.75], [-0.5, 0.1]])


def search(returns, **climb):
    return best_plan(returns, shape=(3, 2), climb=PlanAscent(**climb), rng=stream(0, "plan"))


def test_the_best_plan_is_found_where_there_is_one_summit():
    plan = search(lambda plans: -(plans - GOAL).square().sum(dim=(1, 2)))
    torch.testing.assert_close(plan, GOAL, atol=1e-2, rtol=0)


def test_actions_end_at_their_limits():
    plan = search(lambda plans: (plans * GOAL.sign()).sum(dim=(1, 2)))
    torch.testing.assert_close(plan[GOAL != 0], GOAL.sign()[GOAL != 0])


def test_the_highest_of_several_summits_wins():
    """A convex return has a summit in every corner: the higher, the more of the goal's signs the corner has."""
    plan = search(lambda plans: ((plans * GOAL).sum(dim=(1, 2)) + 0.2).square(), starts=16)
    torch.testing.assert_close(plan[GOAL != 0], GOAL.sign()[GOAL != 0])


def test_the_same_stream_finds_the_same_plan():
    plans = [search(lambda plans: plans.sin().sum(dim=(1, 2)), steps=5) for _ in range(2)]
    assert torch.equal(*plans)


@pytest.mark.parametrize("climb", [{"starts": 0}, {"steps": 0}, {"lr": 0.0}, {"lr": float("nan")}])
def test_a_search_that_goes_nowhere_is_refused(climb):
    with pytest.raises(ConfigError, match="cannot search; use starts >= 1, steps >= 1 and a positive lr"):
        PlanAscent(**climb)
