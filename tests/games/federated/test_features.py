"""What an attacker's seat observes beside the model, in the game and in a run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import LearnedAttack, attack_policy
from sparring.data import CommonShards
from sparring.defenses import Mean
from sparring.federation import Attacker, Scenario, play_round
from sparring.games.env import SeatEnv
from sparring.games.federated import ATTACKER, AttackType, FederatedGame, SeatControlled
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.search import CrossEntropySearch, SmallNetworks
from sparring.learning.training_env import LearningTask
from sparring.policies import Features, PolicyNetwork, PolicyVersion, save_policy
from sparring.policies.encoder import CountEncoder, FeatureEncoder
from sparring.random import stream
from tests.games.federated.playing import EXAMPLES, RANGES, SEATED, attacker, attackers_game, full_game, scenario

FEATURES = Features(horizon=8, examples=30)
SHARED = Batch((255 * EXAMPLES.inputs).byte(), EXAMPLES.labels)
"""A file keeps pixels as bytes."""


def linear_policy():
    """Return a policy whose action depends on every feature."""
    encoder = FeatureEncoder(FEATURES.size, CountEncoder((1, 2), 3))
    weights = torch.from_numpy(stream(0, "weights").normal(size=(3, encoder.size(99)))).float()
    return PolicyNetwork(((weights / 4, torch.zeros(3)),), squash="clip", encoder=encoder)


def episode(game, policy):
    """Return the states of an episode."""
    states = [game.initial(stream(3))]
    while not game.is_over(states[-1]):
        action = policy.act(game.observe(states[-1], ATTACKER))
        states.append(game.transition(states[-1], {ATTACKER: action}, rng=stream(3, len(states))))
    return states


@pytest.fixture
def observed(monkeypatch):
    """Collect the observations of all policies."""
    seen, act = [], PolicyNetwork.act
    monkeypatch.setattr(PolicyNetwork, "act", lambda self, given: (seen.append(given.copy()), act(self, given))[1])
    return seen


@pytest.mark.parametrize("examples", [None, SHARED])
def test_the_game_and_a_run_give_the_same_observation_to_the_byte(tmp_path, observed, examples):
    world = scenario()
    if examples is not None:  # a policy's own examples take the place of its clients' shards, as in its world
        world = replace(world, federation=replace(world.federation, shards=CommonShards(examples, 10)))
    policy = linear_policy()
    game = attackers_game(played=world, features=FEATURES)
    saved = attack_policy([PolicyVersion(0, policy)], RANGES, examples=examples, features=FEATURES)
    save_policy(tmp_path / "policy", saved)
    attack = Attacker(4, LearnedAttack(str(tmp_path / "policy")))
    *states, _ = episode(game, policy)
    assert len(states) > 3
    for state in states:
        seen = game.observe(state, ATTACKER)
        observed.clear()
        run = Scenario(replace(world.federation, seed=state.seed), Mean(), [attack])
        after, _ = play_round(run, state.federation)
        assert [each.tobytes() for each in observed] == [seen.tobytes()]
        acted = {ATTACKER: policy.act(seen)}
        following = FederatedGame(world, (SEATED,), {ATTACKER: attacker(features=FEATURES)}, state.federation.round + 1)
        assert torch.equal(following.transition(state, acted, rng=stream(0)).federation.parameters, after.parameters)


def test_features_change_as_the_training_proceeds():
    states = episode(attackers_game(features=FEATURES), linear_policy())
    rows = np.stack([attackers_game(features=FEATURES).observe(state, ATTACKER)[-4:-1] for state in states])
    assert (np.abs(rows) <= 1).all()
    assert (rows.std(axis=0) > 0).all()


def test_without_features_nothing_is_added():
    plain, observing = attackers_game(), attackers_game(features=FEATURES)
    state = plain.initial(stream(3))
    one, other = plain.observe(state, ATTACKER), observing.observe(state, ATTACKER)
    assert one.tobytes() == np.delete(other, slice(-4, -1)).tobytes()
    assert observing.seats[ATTACKER].observation == plain.seats[ATTACKER].observation + 3


def test_a_seat_without_a_sampled_client_knows_nothing_of_the_round():
    game = full_game(domain=(AttackType((Attacker(1, SeatControlled()),)),))
    game = replace(game, roles={**game.roles, ATTACKER: attacker(features=FEATURES)})
    states = [game.initial(stream(seed)) for seed in range(9)]
    absent = [game.observe(state, ATTACKER) for state in states if game.observe(state, ATTACKER)[-1] == 0]
    assert absent
    assert all((seen[-4:] == 0).all() for seen in absent)


def test_features_are_computed_once_for_a_state(monkeypatch):
    calls, measure = [], Features.measure
    monkeypatch.setattr(Features, "measure", lambda self, view: (calls.append(view), measure(self, view))[1])
    env = SeatEnv(attackers_game(features=FEATURES), ATTACKER)
    env.reset(seed=0)
    env.match.seen(ATTACKER)
    env.match.seen(ATTACKER)
    assert len(calls) == 1


def test_a_search_over_feature_policies_does_better_than_its_start():
    game = attackers_game(features=FEATURES, gain="level")
    task = LearningTask(game, ATTACKER)
    family = SmallNetworks(encoder=FeatureEncoder(FEATURES.size))
    search = CrossEntropySearch(family, candidates=8, elites=2, episodes=1, trials=2)
    start = family.policy(torch.zeros(family.size(task.space)), task.space)
    state = search.choose(search.improve(search.initial(task, seed=0), task, steps=400, seed=0), task, seed=0)
    best = search.policies(state, task)[ATTACKER]
    assert evaluate_policy(task, best, episodes=5, seed=1) > evaluate_policy(task, start, episodes=5, seed=1)


def test_inputs_that_a_run_may_not_read_are_not_needed():
    """The examples of benign clients do not matter."""
    game = attackers_game(features=FEATURES)
    state = game.initial(stream(3))
    federation = game.scenario.federation
    order, offsets = federation.shards.partition
    labels = federation.shards.train.labels.clone()
    labels[order[offsets[4] :]] = 0
    other = replace(federation.shards, train=Batch(federation.shards.train.inputs, labels))
    changed = replace(game, scenario=replace(game.scenario, federation=replace(federation, shards=other)))
    assert game.observe(state, ATTACKER).tobytes() == changed.observe(state, ATTACKER).tobytes()
