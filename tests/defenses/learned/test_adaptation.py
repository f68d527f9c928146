"""The policy gradient of the real rounds, on games in which it is known, and in a federation."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import InnerProduct
from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.plans import SERVER_CHECKS, server_view
from sparring.contracts import Model, Recipe
from sparring.data import Iid, divide, load, root_sample
from sparring.defenses import (
    ADAPTERS,
    DEFENSES,
    Adapter,
    DefenseActions,
    LearnedDefense,
    NoAdapter,
    PolicyGradientAdapter,
)
from sparring.defenses.learned.adaptation import estimated_reward
from sparring.errors import ConfigError, PluginError
from sparring.federation import Attacker, Federation, Scenario, initial_state, play_round, train
from sparring.federation.state import pack, unpack
from sparring.learning.meta.episodes import Episodes
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.learning.meta.policy_gradient import GradientSettings, estimate_return, gradient
from sparring.models import Logistic, Mlp, network
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.registry import build, described_options
from tests.attacks.learned.policies import constant
from tests.attacks.views import LOGISTIC
from tests.defenses.learned.policies import written
from tests.settings import clouds, small_federation

INPUTS = LOGISTIC.size
SEEN = np.linspace(-1, 1, 4, dtype=np.float32)
BEST = np.array([0.4, -0.3])
TRAP = (0.5, 0.0)
"""A start that clips too late and trims too little against IPM 5."""


@dataclass
class Game:
    """A model that is the mean of its past actions, and is worth most at the best one."""

    state: np.ndarray
    inertia: float = 0.0

    def move(self, action):
        self.state = self.inertia * self.state + (1 - self.inertia) * action

    def value(self):
        return 1 - float(((self.state - BEST) ** 2).sum())


def played(adapter, policy, rounds, *, seed=0, inertia=0.0, reward=None):
    """Return the actions of some rounds, the levels before each of them and after the last, and the memories."""
    game, memory = Game(np.zeros(2), inertia), {}
    actions, levels, memories = [], [game.value()], []
    for round in range(rounds):
        rng = stream(seed, "server", round)
        value = game.value if reward is None else partial(reward, rng)
        action, memory = adapter.act(policy, SEEN, reward=value, memory=memory, rng=rng)
        game.move(action)
        actions.append(action)
        levels.append(game.value())
        memories.append(memory)
    return np.array(actions), np.array(levels), memories


def smooth(seed=0):
    """Return a policy with a hidden layer, and its weights as one vector."""
    shape = GaussianPolicy((4, 3, 2))
    weights = shape.initial(stream(seed)) + 0.1
    return replace(shape.network(weights), squash="tanh"), weights


@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_an_update_is_the_estimate_e1_of_an_episode(discount):
    policy, weights = smooth()
    policy = replace(policy, squash="clip")
    adapter = PolicyGradientAdapter(every=4, rate=0.1, deviation=0.3, discount=discount, scope="policy")
    actions, levels, memories = played(adapter, policy, 5, inertia=0.5)
    # With rewards minus the level before an action, to go from each step, E1 is written out as in the formula.
    to_go = [
        sum(discount ** (after - step) * (levels[after + 1] - levels[step]) for after in range(step, 4))
        for step in range(4)
    ]
    seen, drawn = torch.from_numpy(SEEN).expand(4, -1).double(), torch.from_numpy(actions[:4]).double()
    shape = GaussianPolicy((4, 3, 2), deviation=0.3)
    expected = gradient(lambda at: (shape.log_density(at, seen, drawn) * torch.tensor(to_go)).sum(), weights.double())
    np.testing.assert_allclose(memories[-1]["adapt.offset"], 0.1 * expected, rtol=1e-3, atol=1e-5)


def test_without_its_baseline_it_is_the_estimate_of_the_meta_learner():
    policy, weights = smooth()
    policy = replace(policy, squash="clip")
    adapter = PolicyGradientAdapter(every=3, rate=1.0, deviation=0.3, scope="policy")
    levels = iter([0.0, 0.2, 0.0, 0.7])  # 0 before the first and the third action
    memory, actions = {}, []
    for round in range(4):
        action, memory = adapter.act(
            policy, SEEN, reward=lambda: next(levels), memory=memory, rng=stream(0, "server", round)
        )
        actions.append(action)
    seen, drawn = torch.from_numpy(SEEN).expand(1, 3, -1), torch.from_numpy(np.array(actions[:3]))[None]
    shape, rewards = GaussianPolicy((4, 3, 2), deviation=0.3), torch.tensor([[0.2, 0.0, 0.7]])
    episodes = Episodes(seen, drawn, rewards, torch.ones(1, 3))
    settings = GradientSettings(episodes=1, baseline="none")
    slope = gradient(estimate_return(shape, episodes, settings).mean, weights.double())
    # The level before the second action is 0.2, and two rewards follow it.
    second = gradient(lambda at: shape.log_density(at, seen[0, 1].double(), drawn[0, 1].double()), weights.double())
    np.testing.assert_allclose(memory["adapt.offset"], slope - 2 * 0.2 * second, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("every", "inertia"), [(1, 0.0), (3, 0.5)])
def test_the_mean_of_many_estimates_is_the_gradient(every, inertia):
    adapter = PolicyGradientAdapter(steps=1, every=every, rate=1e-3, deviation=0.2)
    policy = constant(0.0, 0.0, inputs=4)
    found = [played(adapter, policy, every + 1, seed=seed, inertia=inertia)[2][-1] for seed in range(400)]
    estimates = np.array([memory["adapt.offset"].numpy() for memory in found]) / adapter.rate
    # The mean state after k actions around m is (1 - inertia^k) m, and noise does not depend on m.
    moved = [1 - inertia**step if inertia else 1.0 for step in range(1, every + 1)]
    expected = sum(2 * BEST * share for share in moved)
    error = estimates.std(axis=0, ddof=1) / len(found) ** 0.5
    assert (np.abs(estimates.mean(axis=0) - expected) < 3.5 * error).all()
    assert (np.abs(expected) > 3.5 * error).all()


@pytest.mark.parametrize(("scope", "rate"), [("action", 0.01), ("policy", 0.005)])
def test_adaptation_leads_to_the_best_action_and_random_rewards_do_not(scope, rate):
    adapter = PolicyGradientAdapter(steps=60, every=5, rate=rate, scope=scope)
    policy = PolicyNetwork(((torch.zeros(2, 4), torch.zeros(2)),))
    ends = [
        [played(adapter, policy, 301, seed=seed, reward=reward)[0][-1] for seed in range(5)]
        for reward in (None, lambda rng: rng.uniform(0.75, 1.0))
    ]
    distances = np.linalg.norm(np.array(ends) - BEST, axis=2).mean(axis=1)
    assert distances[0] < 0.15 < 0.3 < distances[1]


def test_after_its_steps_the_policy_is_frozen_and_plays_its_mean():
    adapter = PolicyGradientAdapter(steps=2, every=3, rate=0.1)
    actions, _, memories = played(adapter, constant(0.1, 0.2, inputs=4), 10)
    assert len({action.tobytes() for action in actions[:6]}) == 6
    assert len({action.tobytes() for action in actions[6:]}) == 1
    assert set(memories[-1]) == {"adapt.offset", "adapt.counts"}
    np.testing.assert_allclose(actions[-1], np.array([0.1, 0.2]) + memories[-1]["adapt.offset"].numpy(), rtol=1e-6)


def test_a_frozen_policy_measures_no_reward():
    adapter = PolicyGradientAdapter(steps=1, every=1)
    memory = played(adapter, constant(0.1, 0.2, inputs=4), 2)[2][-1]
    adapter.act(
        constant(0.1, 0.2, inputs=4), SEEN, reward=lambda: pytest.fail("measured"), memory=memory, rng=stream(0)
    )


def test_an_offset_never_leaves_the_range_of_actions():
    adapter = PolicyGradientAdapter(steps=3, every=2, rate=100.0)
    actions, _, _ = played(adapter, constant(0.9, -0.9, inputs=4), 7)
    assert np.abs(actions[-1]).max() <= 1


@pytest.mark.parametrize("cut", range(1, 9))
def test_what_it_remembers_is_enough_to_go_on_with(cut):
    adapter, policy = PolicyGradientAdapter(steps=2, every=3, scope="policy"), smooth()[0]
    whole, levels, memories = played(adapter, policy, 9)
    memory = {name: each.clone() for name, each in memories[cut - 1].items()}
    value = float(levels[cut])
    action, _ = (
        adapter.act(policy, SEEN, reward=lambda: value, memory=memory, rng=stream(0, "server", cut))
        if cut < 9
        else (whole[-1], {})
    )
    assert action.tobytes() == whole[min(cut, 8)].tobytes()


def test_policies_of_different_size_cannot_share_an_offset_of_their_weights():
    adapter = PolicyGradientAdapter(scope="policy")
    memory = adapter.act(smooth()[0], SEEN, reward=lambda: 0.5, memory={}, rng=stream(0))[1]
    with pytest.raises(ConfigError, match=r"differ in size, use action$"):
        adapter.act(constant(0.0, 0.0, inputs=4), SEEN, reward=lambda: 0.5, memory=memory, rng=stream(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": -1}, r"^defense\.adapt\.steps is -1; it must be at least 0$"),
        ({"every": 0}, r"^defense\.adapt\.every is 0; it must be at least 1$"),
        ({"rate": 0.0}, r"^defense\.adapt\.rate is 0\.0; it must be positive and finite$"),
        ({"deviation": math.inf}, r"^defense\.adapt\.deviation is inf; it must be positive and finite$"),
        ({"discount": 1.5}, r"^defense\.adapt\.discount is 1\.5; it must be above 0 and at most 1$"),
        ({"scope": "bias"}, r"^defense\.adapt\.scope is 'bias'; it must be action or policy$"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        PolicyGradientAdapter(**settings)


def test_a_reward_is_a_bounded_loss():
    data = clouds()
    federation = small_federation(data=data)
    parameters = initial_state(federation).parameters
    fair = estimated_reward(Model(federation.network, parameters), data.test)
    assert 0 < fair < 1
    for broken in (
        parameters * torch.nan,
        1e6 * torch.randn(len(parameters), generator=torch.Generator().manual_seed(0)),
    ):
        assert estimated_reward(Model(federation.network, broken), data.test) == 0


class TestLearnedDefense:
    @pytest.mark.parametrize("scope", ["action", "policy"])
    @pytest.mark.parametrize("check", SERVER_CHECKS, ids=format_check_name)
    def test_it_conforms(self, check, scope, tmp_path):
        path = written(tmp_path / "policy", 0.1, 0.2, inputs=INPUTS)
        assert failures(check, LearnedDefense(path, PolicyGradientAdapter(steps=1, every=1, scope=scope))) == ()

    def test_it_is_named_with_its_options(self):
        section = {"name": "learned", "policy": "file", "adapt": {"name": "policy_gradient", "every": 2}}
        built = build("defense", DEFENSES, section, families={Adapter: ADAPTERS})
        assert built == LearnedDefense("file", PolicyGradientAdapter(every=2))

    @pytest.mark.parametrize("adapter", [NoAdapter(), PolicyGradientAdapter(steps=0), PolicyGradientAdapter(0, rate=9)])
    def test_no_steps_are_no_adaptation_and_leave_no_trace_in_a_description(self, adapter):
        assert LearnedDefense("file", adapter) == LearnedDefense("file")
        assert described_options(LearnedDefense("file", adapter)) == {"policy": "file"}

    def test_the_reward_is_that_of_the_deployed_model(self, tmp_path):
        data = clouds()
        federation = small_federation(data=data, model=Mlp(hidden=20))
        parameters = initial_state(federation).parameters
        view = server_view(network=federation.network, parameters=parameters, examples=data.train)
        acting = DefenseActions(repair="prun", share=(0.0, 0.95))
        path = written(tmp_path / "policy", 0.0, 0.0, 1.0, inputs=63, acting=acting)
        adapting = LearnedDefense(path, PolicyGradientAdapter(every=1))
        memory = adapting.plan(view, {})[1]
        pruned = adapting.deployed(memory).repair(Model(federation.network, parameters), root=data.train, rng=view.rng)
        before, after = (
            estimated_reward(model, data.train) for model in (Model(federation.network, parameters), pruned)
        )
        assert after != before
        offset = adapting.plan(view, memory)[1]["adapt.offset"]
        expected = adapting.adapt.rate * (after - before) * memory["adapt.trace"]
        torch.testing.assert_close(offset[:2], expected[:2])

    def test_without_root_data_it_is_refused(self, tmp_path):
        path = written(tmp_path / "policy", 0.0, 0.0, inputs=INPUTS)
        assert LearnedDefense(path, PolicyGradientAdapter()).needs_root
        with pytest.raises(ConfigError, match=r"^defense\.adapt estimates rewards on root data; use data\.root_size"):
            LearnedDefense(path, PolicyGradientAdapter()).plan(server_view(examples=None), {})


DIGITS = load("digits", size=8)


def attacked(tmp_path, *, seed, adapt, rounds=100, test=DIGITS.test):
    """Return a federation under IPM 5 whose defender starts in the trap."""
    chosen = root_sample(DIGITS.train.labels, size=100, rng=stream(seed, "root"))
    federation = Federation(
        network=network(Logistic(), DIGITS),
        shards=divide(DIGITS.train, Iid(), clients=20, seed=seed),
        test=test,
        root=Batch(DIGITS.train.inputs[chosen], DIGITS.train.labels[chosen]),
        recipe=Recipe(1, 32, 0.2),
        seed=seed,
    )
    path = written(tmp_path / "policy", *TRAP, inputs=federation.network.size)
    return Scenario(federation, LearnedDefense(path, adapt), [Attacker(5, attack=InnerProduct(scale=5.0))])


@dataclass(frozen=True)
class Reversed(PolicyGradientAdapter):
    """Adapt to what is worst."""

    def act(self, policy, seen, *, reward, memory, rng):
        return super().act(policy, seen, reward=lambda: 1 - reward(), memory=memory, rng=rng)


def test_it_leads_out_of_a_trap_in_a_federation_and_reversed_rewards_lead_deeper_into_it(tmp_path):
    still, adapted, misled = (
        np.mean([train(attacked(tmp_path, seed=seed, adapt=adapt), 100, every=100).accuracy for seed in range(3)])
        for adapt in (NoAdapter(), PolicyGradientAdapter(), Reversed())
    )
    assert misled + 0.1 < still < adapted - 0.1


def test_labels_of_the_test_split_make_no_difference(tmp_path):
    labels = DIGITS.test.labels[torch.randperm(len(DIGITS.test.labels), generator=torch.Generator().manual_seed(0))]
    ends = []
    for test in (DIGITS.test, DIGITS.test._replace(labels=labels)):
        scenario = attacked(tmp_path, seed=0, adapt=PolicyGradientAdapter(steps=2, every=2), test=test)
        state = initial_state(scenario.federation)
        for _ in range(6):
            state = play_round(scenario, state)[0]
        ends.append(pack(state).tensors)
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_round_goes_on_from_a_saved_state(tmp_path):
    scenario = attacked(tmp_path, seed=0, adapt=PolicyGradientAdapter(steps=2, every=2))
    state = saved = initial_state(scenario.federation)
    for _ in range(6):
        state, record = play_round(scenario, state)
        saved, again = play_round(scenario, unpack(pack(saved)))
        assert record == again
    assert torch.equal(state.parameters, saved.parameters)


def test_its_actions_are_in_the_record(tmp_path):
    result = train(attacked(tmp_path, seed=0, adapt=PolicyGradientAdapter(steps=1, every=3)), rounds=6)
    norms = [record.planned["rule"]["max_norm"] for record in result.records[1:]]
    assert len(set(norms[:3])) == 3
    assert len(set(norms[3:])) == 1


def test_root_data_that_a_server_edits_are_found():
    class Editing:
        def plan(self, view, memory):
            view.examples.inputs.zero_()

        def deployed(self, memory):
            return None

    data = clouds()
    federation = small_federation(data=data, root=Batch(*(part.clone() for part in data.train)))
    with pytest.raises(PluginError, match="edited the root data's inputs in place"):
        play_round(Scenario(federation, Editing()), initial_state(federation))
