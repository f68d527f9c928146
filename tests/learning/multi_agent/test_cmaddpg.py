"""CMADDPG and multi-agent TD3 on a team whose best policy is a formula; what absent ranks and clients' names do."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
import torch

from sparring.contracts import Space, Team
from sparring.games.exact.team import SEAT, QuadraticTeam
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.actor_critic.team_shape import TeamShape
from sparring.learning.actor_critic.updates import Transitions, UpdateSettings, actor_gradient, critic_gradient, update
from sparring.learning.multi_agent.cmaddpg import CMADDPG, MULTI_AGENT_TD3
from sparring.learning.multi_agent.ranked_policies import RankedPolicies
from sparring.learning.search import ConstantActions
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import CountEncoder, RankEncoder, unpack_encoder
from sparring.policies.team import TeamPolicy, member_space, seat_policy
from sparring.random import stream
from tests.learning.multi_agent.teams import ONE, TASKS, TWO, assert_resumes, learned, mean_return, progress

SMALL = {
    name: replace(learner, settings=replace(learner.settings, hidden=(32, 32)), batch=64, warmup=300)
    for name, learner in {"CMADDPG": CMADDPG, "multi-agent TD3": MULTI_AGENT_TD3}.items()
}
TINY = replace(CMADDPG, settings=UpdateSettings(hidden=(8,)), batch=8, memory=30, warmup=10, pace=2)
SPACE = Space(4, 6, team=Team(3, 10))
SHAPE = TeamShape(SPACE, UpdateSettings(hidden=(16, 8), critics=2))


def batch(present, *, seed=0):
    """Return one step for each number of present members."""
    rng = stream(seed, "batch")
    seen, after = (rng.uniform(-1, 1, (len(present), 4)).astype(np.float32) for _ in range(2))
    seen[:, -1] = after[:, -1] = np.array(present) / SPACE.team.whole
    actions = rng.uniform(-1, 1, (len(present), 6)).astype(np.float32)
    rewards, ended = torch.from_numpy(rng.standard_normal(len(present), np.float32)), torch.zeros(len(present))
    parts = map(torch.from_numpy, (seen, actions, after))
    seen, actions, after = ((each,) for each in parts)
    return Transitions(seen, actions, rewards, after, ended)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("task", [ONE, TWO], ids=["one step", "two steps"])
@pytest.mark.parametrize("learner", SMALL.values(), ids=SMALL)
def test_a_team_gets_95_percent_of_the_way_to_the_best_return(learner, task, seed):
    assert progress(task, learned(learner, task, steps=1000 if task is ONE else 1200, seed=seed)) > 0.95


def test_a_team_whose_members_come_and_go_learns_the_same():
    assert progress(TASKS["changing members"], learned(SMALL["CMADDPG"], TASKS["changing members"], steps=2000)) > 0.95


@dataclass(frozen=True)
class Shuffled:
    """A game whose rewards are those of other steps: drawn, not earned."""

    game: QuadraticTeam

    def __getattr__(self, name):
        return getattr(self.game, name)

    @cached_property
    def rewards(self):
        rng, found = stream(0, "rewards"), []
        for _ in range(200):
            state = self.game.initial(rng)
            found.append(self.game.transition(state, {SEAT: rng.uniform(-1, 1, 5)}, rng=rng).reward)
        return found

    def reward(self, before, after, *, seat):
        place = stream(abs(hash((before.state, after.reward))) % 2**31, "shuffle").integers(len(self.rewards))
        return self.rewards[place]


def test_shuffled_rewards_teach_nothing():
    shuffled = LearningTask(Shuffled(QuadraticTeam()), SEAT)
    reached = [progress(ONE, learned(SMALL["CMADDPG"], shuffled, steps=600, seed=seed)) for seed in range(3)]
    assert np.mean(reached) < 0.5


def test_it_beats_the_best_constant_joint_action():
    best = max(
        mean_return(
            ONE, RankedPolicies(ConstantActions()).policy(torch.tensor([level, slope]), member_space(ONE.space))
        )
        for level in np.linspace(-0.5, 0.5, 5)
        for slope in np.linspace(-1, 1, 9)
    )
    # The best constant action at each rank is α; only the state, which it does not see, is left.
    assert best == pytest.approx(-1 / 12, abs=0.015)
    assert mean_return(ONE, learned(SMALL["CMADDPG"], ONE, steps=800)) > best + 0.02


class TestAbsentRanks:
    def test_critics_have_no_slope_along_their_actions(self):
        steps = batch([0, 1, 2, 3])
        taken = steps.actions[0].clone().requires_grad_()
        networks = SHAPE.initial(stream(0))
        SHAPE.estimate(networks.critics, steps.observations, [taken]).sum().backward()
        slopes = taken.grad.view(4, 3, 2)
        present = torch.arange(3) < torch.tensor([0, 1, 2, 3])[:, None]
        assert (slopes[~present] == 0).all()
        assert (slopes[present] != 0).all()

    def test_their_actions_and_noise_change_no_weight(self):
        networks, steps = SHAPE.initial(stream(0)), batch([0, 1, 2, 3])
        absent = torch.arange(3) >= torch.tensor([0, 1, 2, 3])[:, None]
        other = torch.where(absent[..., None], 0.9, steps.actions[0].view(4, 3, 2)).flatten(1)
        noises = [torch.zeros(4, 6), torch.where(absent[..., None], 0.7, torch.zeros(4, 3, 2)).flatten(1)]
        one, two = (
            update(networks, each, architecture=SHAPE, noise=[noise])
            for each, noise in ((steps, noises[0]), (steps._replace(actions=(other,)), noises[1]))
        )
        assert torch.equal(one.critics, two.critics)
        assert torch.equal(one.actors, two.actors)

    def test_a_step_without_any_member_teaches_the_actor_nothing(self):
        networks = SHAPE.initial(stream(0))
        assert not actor_gradient(networks, batch([0, 0]), architecture=SHAPE).any()
        assert critic_gradient(networks, batch([0, 0]), architecture=SHAPE, noise=[torch.zeros(2, 6)]).isfinite().all()


def test_the_actor_is_the_policy_of_the_team():
    networks, steps = SHAPE.initial(stream(0)), batch([0, 1, 2, 3])
    member = ActorCriticSeat(SPACE, SHAPE.settings, 8, 0.1).actor(networks)
    policy = TeamPolicy(member, SPACE.team)
    answers = SHAPE.answer(networks.actors, steps.observations)[0].tanh()
    torch.testing.assert_close(answers, policy(steps.observations[0]))
    for seen, answer in zip(steps.observations[0], answers, strict=True):
        np.testing.assert_allclose(policy.act(seen.numpy()), answer.detach(), atol=1e-6)


def test_the_actor_gradient_is_the_sum_over_members_of_algorithm_3():
    networks, steps = SHAPE.initial(stream(0)), batch([2, 3])
    weights = networks.actors.clone().requires_grad_()
    critic = networks.critics[: len(networks.critics) // 2]
    answers = SHAPE.answer(weights, steps.observations)[0].tanh().view(2, 3, 2)
    total = torch.zeros_like(weights)
    for rank in range(3):
        held = torch.stack(
            [answers[:, each] if each == rank else answers[:, each].detach() for each in range(3)], dim=1
        )
        value = SHAPE.estimate(critic, steps.observations, [held.flatten(1)])[0].mean()
        total += torch.autograd.grad(-value, weights, retain_graph=True, allow_unused=True)[0]
    torch.testing.assert_close(actor_gradient(networks, steps, architecture=SHAPE), total)


@pytest.mark.parametrize("encoder", [None, CountEncoder((2, 4, 7), 7)])
def test_training_resumes_to_the_same_bits(encoder):
    assert_resumes(replace(TINY, encoder=encoder), TASKS["changing members"])


def test_a_start_is_imitated_and_kept_where_training_does_not_improve_on_it():
    best = RankedPolicies(ConstantActions()).policy(torch.tensor([0.0, -0.625]), member_space(ONE.space))
    learner = replace(TINY, warmup=200, start=best, imitation=600, critic_updates=1, settings=UpdateSettings((16, 16)))
    state = learner.improve(learner.initial(ONE, seed=0), ONE, steps=200, seed=0)
    assert mean_return(ONE, learner.policies(state, ONE)[SEAT]) == pytest.approx(mean_return(ONE, best), abs=0.02)
    state = learner.choose(state, ONE, seed=0)
    assert mean_return(ONE, learner.policies(state, ONE)[SEAT]) >= mean_return(ONE, best) - 1e-9


def test_an_encoder_of_the_team_is_passed_by_the_rank():
    encoder = RankEncoder(CountEncoder((2, 4), 10))
    seen = torch.tensor([[0.3, 0.4, -0.5], [0.3, 0.2, 0.5]])
    assert encoder(seen).tolist() == [[0, 1, -0.5], [1, 0, 0.5]]
    assert encoder.size(3) == 3
    again = unpack_encoder(encoder.pack())
    assert torch.equal(again(seen), encoder(seen))
    network = ActorCriticSeat(SPACE, SHAPE.settings, 8, 0.1, encoder=CountEncoder((1, 3), 10))
    member = network.actor(network.architecture.initial(stream(0)))
    assert seat_policy(member, SPACE).act(np.array([0, 0, 0, 0.2], np.float32)).shape == (6,)
