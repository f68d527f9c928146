"""A team's seat: one action per rank, a shared reward, and the members as PettingZoo's agents."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from sparring.arrays import Batch
from sparring.attacks import MemberUpdateActions, ScaledGradientActions, SeparateSearchActions
from sparring.contracts import Team
from sparring.data import CommonShards
from sparring.errors import ConfigError, SparringError
from sparring.federation import Attacker, play_round
from sparring.games import MembersEnv, SeatEnv
from sparring.games.federated import ATTACKER, team_game, world_model
from sparring.policies.team import present_ranks
from sparring.random import stream
from sparring.snapshot import Snapshot
from tests.games.federated.playing import EXAMPLES, scenario

PLAIN = ScaledGradientActions(rescaled=0)
MIXTURE = Batch(torch.tensor([[0.1, 0.5, 0.9]]), torch.tensor([1]))


def team(*, malicious=4, sampled=5, acting=PLAIN, rounds=6, **settings):
    return team_game(scenario(sampled=sampled), malicious=malicious, acting=acting, rounds=rounds, **settings)


def present(game, state):
    """Return how many members are present, as the seat observes it."""
    space = game.seats[ATTACKER]
    return int(present_ranks(torch.from_numpy(game.observe(state, ATTACKER)), space.team))


def play_episode(game, *, seed):
    """Return the numbers of members that are present, and the rewards, of an episode of reversed gradients."""
    state, counts, gains = game.initial(stream(seed)), [], []
    while not game.is_over(state):
        counts.append(present(game, state))
        after = game.transition(
            state, {ATTACKER: -np.ones(game.seats[ATTACKER].action, np.float32)}, rng=stream(seed, 1)
        )
        gains.append(game.reward(state, after, seat=ATTACKER))
        state = after
    return counts, gains


def test_there_are_as_many_ranks_as_malicious_clients_that_can_be_sampled():
    assert team(malicious=4, sampled=5).seats[ATTACKER].team == Team(ranks=4, whole=5)
    assert team(malicious=4, sampled=3).seats[ATTACKER].team == Team(ranks=3, whole=3)
    assert team(acting=SeparateSearchActions()).seats[ATTACKER].action == 4 * 2


def test_the_last_number_observed_is_the_share_that_is_present():
    game = team()
    for seed in range(5):
        state = game.initial(stream(seed))
        assert 1 <= present(game, state) <= 4
        assert game.observe(state, ATTACKER)[-1] == pytest.approx(present(game, state) / 5)


def test_an_action_by_rank_is_played_by_the_sampled_clients_in_ascending_order():
    game = team(malicious=4, sampled=10, rounds=1)  # everybody is sampled
    state = game.initial(stream(0))
    after = game.transition(state, {ATTACKER: np.array([1, -1, 0, 0.5], np.float32)}, rng=stream(1))

    def model_after(*factors):
        actions = np.array(factors, np.float32)[:, None]
        chosen = replace(game.scenario.federation, seed=state.seed)
        played = replace(game.scenario, federation=chosen, attackers=[Attacker(4, PLAIN.attack(actions))])
        return play_round(played, state.federation)[0].parameters

    none = model_after(0, 0, 0, 0)
    parts = [model_after(*np.eye(4)[rank]) - none for rank in range(4)]
    assert all(part.abs().max() > 0 for part in parts)
    expected = none + parts[0] - parts[1] + 0.5 * parts[3]
    torch.testing.assert_close(after.federation.parameters, expected, rtol=1e-4, atol=1e-6)


def test_rows_of_absent_ranks_change_nothing():
    game = team()
    state = next(start for start in map(game.initial, map(stream, range(20))) if present(game, start) == 2)
    one, other = np.full(4, 0.5, np.float32), np.array([0.5, 0.5, -1, 1], np.float32)
    after = [game.transition(state, {ATTACKER: action}, rng=stream(1)) for action in (one, other)]
    assert torch.equal(*(each.federation.parameters for each in after))


@pytest.mark.parametrize("acting", [PLAIN, ScaledGradientActions(), SeparateSearchActions(), MemberUpdateActions()])
def test_one_attacker_alone_is_a_team(acting):
    counts, gains = play_episode(team(malicious=1, sampled=3, acting=acting, rounds=20), seed=0)
    assert set(counts) <= {0, 1}
    assert np.isfinite(gains).all()


def test_without_an_attacker_for_a_hundred_rounds_everything_stays_finite():
    many = replace(scenario().federation, shards=CommonShards(EXAMPLES, 1000), sampled=1)
    game = team_game(replace(scenario(), federation=many), malicious=1, acting=PLAIN, rounds=400)
    state = game.initial(stream(0))
    rounds = [state.federation.round]
    while not game.is_over(state):
        state = game.transition(state, {ATTACKER: np.ones(1, np.float32)}, rng=stream(1, len(rounds)))
        rounds.append(state.federation.round)
    assert max(np.diff([0, *rounds])) >= 100
    assert torch.isfinite(state.federation.parameters).all()
    assert np.isfinite(game.observe(state, ATTACKER)).all()


def test_a_seat_passes_gymnasiums_check():
    check_env(SeatEnv(team(), ATTACKER), skip_render_check=True)


class TestWorldWithOwnShards:
    def test_benign_clients_draw_from_the_mixture_and_attackers_from_their_shards(self):
        real = scenario(sampled=10)
        world = world_model(real, MIXTURE, own=range(4)).federation
        drawn = world.shards.draw([7, 2, 9, 0], [stream(0, n) for n in range(4)], steps=1, size=3)
        assert torch.equal(drawn.inputs[0], MIXTURE.inputs.expand(1, 3, 3))
        assert torch.equal(drawn.inputs[2], MIXTURE.inputs.expand(1, 3, 3))
        alone = real.federation.shards.draw([2, 0], [stream(0, 1), stream(0, 3)], steps=1, size=3)
        assert torch.equal(drawn.inputs[[1, 3]], alone.inputs)
        assert torch.equal(world.test.inputs, MIXTURE.inputs)
        assert (world.shards.held(2), world.shards.held(7)) == (6, 1)

    def test_a_player_reads_the_kept_shards_of_its_own_clients_alone(self):
        shards = world_model(scenario(), MIXTURE, own=range(4)).federation.shards.restricted([0, 1])
        assert len(shards[0].labels) == 6
        assert len(shards.shared(100)[0].labels) == 12
        with pytest.raises(SparringError, match="may not read client 2"):
            shards[2]

    def test_a_round_is_played_in_it(self):
        world = world_model(scenario(sampled=5), MIXTURE, own=range(4))
        _, gains = play_episode(team_game(world, malicious=4, acting=ScaledGradientActions(), rounds=5), seed=0)
        assert np.isfinite(gains).all()

    def test_without_shards_of_their_own_nothing_is_kept(self):
        with pytest.raises(ConfigError, match="own is given, and clients hold CommonShards"):
            world_model(world_model(scenario(), MIXTURE), MIXTURE, own=range(4))

    def test_a_client_that_does_not_exist_is_refused(self):
        with pytest.raises(ConfigError, match="99 keeps its examples; there are 10 clients"):
            world_model(scenario(), MIXTURE, own=[99])


class TestMembers:
    def test_pettingzoo_finds_no_fault(self, capsys):
        parallel_api_test(MembersEnv(team()), num_cycles=30)
        assert "Passed" in capsys.readouterr().out

    def test_equal_seeds_give_equal_games(self):
        parallel_seed_test(lambda: MembersEnv(team()), num_cycles=20)

    def test_all_members_are_queried_and_the_actions_of_absent_ones_ignored(self):
        ends = []
        for absent in (-1.0, 1.0):
            env = MembersEnv(team())
            _, infos = env.reset(seed=1)
            while env.agents:
                actions = {
                    agent: np.full(1, 0.3 if infos[agent]["present"] else absent, np.float32) for agent in env.agents
                }
                _, rewards, _, _, infos = env.step(actions)
                assert len({*rewards.values()}) == 1
            ends.append(env.seats_env.match.state.federation.parameters)
        assert torch.equal(*ends)

    def test_a_member_observes_its_team_and_its_own_rank(self):
        game = team()
        env, alone = MembersEnv(game), SeatEnv(game, ATTACKER)
        shown, infos = env.reset(seed=1)
        seen, _ = alone.reset(seed=1)
        count = sum(info["present"] for info in infos.values())
        for rank, agent in enumerate(env.agents):
            np.testing.assert_array_equal(shown[agent][:-1], seen)
            expected = (2 * rank + 1) / count - 1 if rank < count else 0
            assert shown[agent][-1] == pytest.approx(expected)

    def test_a_restored_env_goes_on_alike(self):
        env, copy = MembersEnv(team()), MembersEnv(team())
        env.reset(seed=5)
        packed = env.snapshot()
        copy.restore(Snapshot(packed.tensors, dict(packed.numbers)))
        actions = dict.fromkeys(env.agents, np.full(1, 0.5, np.float32))
        while env.agents:
            one, other = env.step(actions), copy.step(actions)
            np.testing.assert_equal(one, other)
        assert copy.agents == []

    def test_a_member_without_an_action_is_named(self):
        env = MembersEnv(team())
        env.reset(seed=0)
        with pytest.raises(SparringError, match="^agent 'attacker 1' has no action; give one for each of: attacker 0"):
            env.step({"attacker 0": np.zeros(1, np.float32)})
