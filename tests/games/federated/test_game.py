from copy import deepcopy
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from sparring.attacks import InnerProduct, LocalSearch
from sparring.conformance.adversary import logistic
from sparring.contracts import Model
from sparring.data import ClientShards
from sparring.defenses import ClippedTrimmedMean, DefenseActions, LearnedDefense, Mean, SynthesisActions
from sparring.errors import ConfigError, UnknownName
from sparring.federation import Attacker, Federation, FederationState, Scenario, Threat, play_round, repair_model
from sparring.federation.participants import Participants, participants_of
from sparring.games.env import SeatEnv, SeatsEnv
from sparring.games.federated import AttackType, DefenderObjective, DefenderSeat, FederatedGame, SeatControlled, game
from sparring.models import Mlp
from sparring.random import stream
from sparring.training import evaluate
from tests.defenses.learned.policies import written
from tests.games.federated.playing import (
    EXAMPLES,
    FIXED,
    RANGES,
    SEATED,
    action,
    attacker,
    attackers_game,
    full_game,
    scenario,
)
from tests.settings import small_federation

HARD = {"attacker": action(1, 1, -1)}
ALONE = AttackType((Attacker(1, SeatControlled()),))
SERVER = {"action": torch.zeros(2)}
"""What a learned defense remembers."""


def played(game, state, actions, *, seed=0):
    return game.transition(state, actions, rng=stream(seed, "transition"))


def as_scenario(state, *attackers, defense=None, sampled=3):
    base = scenario(defense=defense, seed=state.seed, sampled=sampled)
    return Scenario(base.federation, base.defense, attackers)


def counting(function, *, into):
    def counted(*given):
        into.append(function)
        return function(*given)

    return counted


class TestSteps:
    def test_an_episode_starts_before_the_first_round_in_which_a_malicious_client_is_sampled(self):
        game = attackers_game()
        for seed in range(5):
            state = game.initial(stream(seed))
            benign = as_scenario(state, Attacker(4, LocalSearch()))
            assert not any(participants_of(benign, round).teams for round in range(state.federation.round))
            assert participants_of(benign, state.federation.round).teams

    def test_a_step_plays_the_round_as_the_action_says(self):
        game = attackers_game(rounds=1)
        state = next(state for state in map(game.initial, map(stream, range(99))) if state.federation.round == 0)
        attacked = as_scenario(state, Attacker(4, RANGES.attack(HARD["attacker"])))
        expected, _ = play_round(attacked, state.federation)
        assert torch.equal(played(game, state, HARD).federation.parameters, expected.parameters)

    def test_rounds_without_a_malicious_client_are_played_by_the_step_before(self):
        game = attackers_game(rounds=60, played=scenario(sampled=1))
        state = game.initial(stream(1))
        rounds = [state.federation.round]
        while not game.is_over(state):
            state = played(game, state, HARD, seed=len(rounds))
            rounds.append(state.federation.round)
        assert rounds[-1] == 60
        assert len(rounds) < 50

    def test_equal_draws_lead_to_equal_states_and_others_to_others(self):
        game = attackers_game()
        state = game.initial(stream(0))
        one, same, other = (played(game, state, HARD, seed=seed) for seed in (1, 1, 2))
        assert (one.seed, one.federation.round) == (same.seed, same.federation.round)
        assert torch.equal(one.federation.parameters, same.federation.parameters)
        assert one.seed != other.seed

    def test_the_same_clients_are_sampled_whatever_the_actions(self):
        game = attackers_game()
        states = {
            answer: played(game, game.initial(stream(0)), {"attacker": action(answer, 0, 0)}) for answer in (-1, 1)
        }
        assert states[-1].seed == states[1].seed
        assert not torch.equal(states[-1].federation.parameters, states[1].federation.parameters)

    def test_an_episode_may_start_from_a_later_model(self):
        base = attackers_game().initial(stream(0)).federation
        later = replace(base, round=20, parameters=torch.ones(logistic().size))
        game = replace(attackers_game(rounds=30), starts=[later])
        state = game.initial(stream(0))
        assert state.federation.round >= 20

    def test_an_episode_in_which_nobody_would_be_sampled_is_drawn_again(self):
        game = attackers_game(rounds=3, played=scenario(sampled=1), domain=(ALONE,))
        for seed in range(30):
            state = game.initial(stream(seed))
            assert participants_of(as_scenario(state, *ALONE.attackers, sampled=1), state.federation.round).teams

    def test_a_later_start_is_drawn_again_too(self):
        start = replace(attackers_game().initial(stream(0)).federation, round=20)
        game = attackers_game(rounds=22, played=scenario(sampled=1), domain=(ALONE,))
        for seed in range(30):
            assert 20 <= replace(game, starts=[start]).initial(stream(seed)).federation.round < 22

    def test_the_type_of_an_episode_that_is_drawn_again_stays(self):
        domain = (replace(ALONE, weight=1.0), replace(FIXED, weight=1.0))
        game = attackers_game(rounds=1, played=scenario(sampled=1), domain=domain)
        assert sum(game.initial(stream(seed)).kind for seed in range(200)) / 200 == pytest.approx(0.5, abs=0.1)

    def test_a_state_is_left_alone(self):
        game = attackers_game()
        state = game.initial(stream(0))
        before = state.federation.parameters.clone()
        played(game, state, HARD)
        assert torch.equal(state.federation.parameters, before)


class TestSeats:
    def test_the_attacker_sees_the_model_and_how_many_of_its_clients_are_sampled(self):
        game = attackers_game(layers=None)
        state = game.initial(stream(3))
        who = participants_of(as_scenario(state, Attacker(4, LocalSearch())), state.federation.round)
        seen = game.observe(state, "attacker")
        assert seen[-1] == np.float32(len(who.malicious) / 3)
        np.testing.assert_array_equal(seen[:-1], state.federation.parameters.numpy())

    def test_the_defender_sees_the_model_alone(self):
        game = full_game()
        state = game.initial(stream(0))
        assert len(game.observe(state, "defender")) == logistic().size
        for other in (replace(state, kind=1 - state.kind), replace(state, seed=state.seed + 1)):
            np.testing.assert_array_equal(game.observe(other, "defender"), game.observe(state, "defender"))

    def test_what_is_seen_has_the_size_that_is_told(self):
        game = full_game()
        for seat, space in game.seats.items():
            assert len(game.observe(game.initial(stream(0)), seat)) == space.observation

    def test_the_defenders_action_is_the_rule_of_the_round(self):
        game = full_game(domain=(FIXED,))
        state = game.initial(stream(0))
        after = played(game, state, {"defender": action(-1, 1), "attacker": action(0, 0, 0)})
        rule = ClippedTrimmedMean(max_norm=0.01, trim=0.9)
        expected, _ = play_round(as_scenario(state, *FIXED.attackers, defense=rule), state.federation)
        assert torch.equal(after.federation.parameters, expected.parameters)

    @pytest.mark.parametrize("acting", [DefenseActions(), SynthesisActions()], ids=repr)
    def test_a_seat_and_a_saved_policy_of_the_same_actions_play_the_same_server(self, acting, tmp_path):
        federation = small_federation(model=Mlp(hidden=20))
        federation = replace(federation, root=federation.test)
        moves, kind = (0.5, 0.3, 0.2, 0.4, -0.1, 0.6)[: acting.size - 1], AttackType((Attacker(6, InnerProduct(2.0)),))
        role = DefenderSeat(acting, objective := DefenderObjective(federation.test))
        seated = FederatedGame(Scenario(federation, Mean()), (kind,), {"defender": role}, rounds=2)
        state = seated.initial(stream(0))
        after = played(seated, state, {"defender": action(*moves, -0.8)})
        path = written(tmp_path / "policy", *moves, -0.8, inputs=20 * 3 + 3, acting=acting)
        alone = Scenario(replace(federation, seed=state.seed), LearnedDefense(path), kind.attackers)
        expected, _ = play_round(alone, state.federation)
        assert torch.equal(after.federation.parameters, expected.parameters)
        deployed = repair_model(alone, expected)
        assert seated.reward(state, after, seat="defender") == objective.value(deployed)
        assert objective.value(deployed) != objective.value(Model(federation.network, expected.parameters))

    def test_with_a_defender_every_round_is_a_step(self):
        game = full_game(rounds=5)
        state, steps = game.initial(stream(0)), 0
        while not game.is_over(state):
            state = played(game, state, {"defender": action(0, 0), **HARD}, seed=steps)
            steps += 1
        assert steps == 5

    def test_an_attacker_of_a_fixed_type_needs_no_seat(self):
        game = attackers_game(domain=(FIXED,))
        state = game.initial(stream(0))
        attacked = as_scenario(state, Attacker(4, InnerProduct(2.0)))
        expected, _ = play_round(attacked, state.federation)
        after = game.transition(state, HARD, rng=stream(0))
        if after.federation.round == state.federation.round + 1:
            assert torch.equal(after.federation.parameters, expected.parameters)

    def test_several_attackers_have_a_seat_each(self):
        kind = AttackType((Attacker(2, SeatControlled("left")), Attacker(2, SeatControlled("right"))))
        game = FederatedGame(scenario(sampled=10), (kind,), {"left": attacker(), "right": attacker()}, rounds=3)
        state = game.initial(stream(0))
        assert [game.observe(state, seat)[-1] for seat in ("left", "right")] == [np.float32(0.2)] * 2
        still = {"left": action(-1, 0, 0), "right": action(-1, 0, 0)}
        moved = [played(game, state, {**still, seat: action(1, 1, -1)}).federation.parameters for seat in still]
        assert not torch.equal(*moved)

    def test_types_are_drawn_by_their_weights(self):
        domain = (replace(SEATED, weight=1.0), replace(FIXED, weight=3.0))
        game = full_game(domain=domain)
        kinds = [game.initial(stream(seed)).kind for seed in range(400)]
        assert sum(kinds) / 400 == pytest.approx(0.75, abs=0.08)


class TestRewards:
    def test_the_attacker_gains_what_the_loss_rises_by(self):
        game = attackers_game()
        state = game.initial(stream(0))
        after = played(game, state, HARD)
        before_loss, after_loss = (
            evaluate(logistic(), each.federation.parameters, on=EXAMPLES).loss for each in (state, after)
        )
        assert game.reward(state, after, seat="attacker") == pytest.approx(after_loss - before_loss)

    def test_the_gains_of_an_episode_add_up_to_the_loss_at_its_end(self):
        game, gained = attackers_game(), 0.0
        state = first = game.initial(stream(0))
        while not game.is_over(state):
            after = played(game, state, HARD, seed=state.federation.round)
            gained += game.reward(state, after, seat="attacker")
            state = after
        ends = [evaluate(logistic(), each.federation.parameters, on=EXAMPLES).loss for each in (first, state)]
        assert gained == pytest.approx(ends[1] - ends[0])

    def test_the_defender_gains_minus_the_loss(self):
        game = full_game()
        state = game.initial(stream(0))
        after = played(game, state, {"defender": action(0, 0), **HARD})
        lost = evaluate(logistic(), after.federation.parameters, on=EXAMPLES).loss
        assert game.reward(state, after, seat="defender") == pytest.approx(-lost)

    def test_a_model_is_measured_once(self):
        class Counting:
            asked = 0

            def value(self, model):
                self.asked += 1
                return 0.0

        objective = Counting()
        game = attackers_game()
        game = replace(game, roles={"attacker": replace(attacker(), objective=objective)})
        states = [game.initial(stream(0))]
        for step in range(3):
            states.append(played(game, states[-1], HARD, seed=step))
            game.reward(*states[-2:], seat="attacker")
        assert objective.asked == 4

    def test_what_a_state_is_worth_is_no_part_of_it(self):
        game = attackers_game()
        state = game.initial(stream(0))
        before = repr(game.codec.pack(state).numbers)
        game.reward(state, state, seat="attacker")
        assert repr(game.codec.pack(state).numbers) == before
        with pytest.raises(FrozenInstanceError):
            state.known = {}
        assert all(not isinstance(value, dict) for value in vars(state).values())

    def test_a_copied_game_measures_for_itself(self):
        game = attackers_game()
        state = game.initial(stream(0))
        gains = [each.reward(state, state, seat="attacker") for each in (game, deepcopy(game))]
        assert gains == [0.0, 0.0]


class TestStarts:
    def later(self, round: int) -> FederationState:
        return replace(attackers_game().initial(stream(0)).federation, round=round)

    def test_one_of_several_starts_is_drawn_for_each_episode(self):
        game = replace(attackers_game(rounds=60, played=scenario(sampled=10)), starts=[self.later(3), self.later(50)])
        begun = [game.initial(stream(seed)).federation.round for seed in range(20)]
        assert set(begun) == {3, 50}

    def test_an_only_start_draws_nothing(self):
        state, game = self.later(0), attackers_game()
        alone, usual = (each.initial(stream(4)) for each in (replace(game, starts=[state]), game))
        assert (alone.seed, alone.federation.round) == (usual.seed, usual.federation.round)

    def test_an_episode_is_over_after_its_span(self):
        game = replace(attackers_game(rounds=60), starts=[self.later(3), self.later(50)], span=4)
        for seed in range(8):
            state = game.initial(stream(seed))
            first = 3 if state.federation.round < 50 else 50
            while not game.is_over(state):
                state = played(game, state, HARD)
            assert state.federation.round == first + 4

    def test_an_episode_ends_with_the_game_whatever_its_span(self):
        game = replace(attackers_game(rounds=52), starts=[self.later(50)], span=40)
        assert game.initial(stream(0)).end == 52

    def test_the_end_of_an_episode_is_part_of_its_state(self):
        game = replace(attackers_game(rounds=60), starts=[self.later(3)], span=9)
        state = game.initial(stream(0))
        assert game.codec.unpack(game.codec.pack(state)).end == state.end == 12
        assert "end" not in attackers_game().codec.pack(attackers_game().initial(stream(0))).numbers

    @pytest.mark.parametrize("span", [0, 1.5])
    def test_a_span_is_a_number_of_rounds(self, span):
        with pytest.raises(ConfigError, match="game.span"):
            replace(attackers_game(), span=span)


class TestHorizon:
    def test_at_its_horizon_the_game_is_truncated_and_not_terminated(self):
        env = SeatEnv(attackers_game(rounds=3, played=scenario(sampled=10)), "attacker")
        env.reset(seed=0)
        ends = [env.step(HARD["attacker"])[2:4] for _ in range(3)]
        assert ends == [(False, False), (False, False), (False, True)]

    def test_all_seats_are_truncated_together(self):
        env = SeatsEnv(full_game(rounds=1))
        env.reset(seed=0)
        _, _, terminated, truncated, _ = env.step({"defender": action(0, 0), **HARD})
        assert not any(terminated.values())
        assert all(truncated.values())
        assert env.agents == []


class TestCosts:
    def test_an_episode_checks_its_scenario_at_most_once(self, monkeypatch):
        checked, game = [], attackers_game(rounds=20)
        for cls in (Scenario, Federation, ClientShards):
            counted = counting(cls.__post_init__, into=checked)
            monkeypatch.setattr(cls, "__post_init__", counted)
        env = SeatEnv(game, "attacker")
        env.reset(seed=0)
        while not env.match.is_over:
            env.step(HARD["attacker"])
        assert len(checked) <= 1

    def test_what_a_seat_cannot_play_is_refused_with_the_game(self):
        blind = replace(scenario(), threat=Threat(knowledge="black_box"))
        with pytest.raises(ConfigError, match="attack SeatControlled needs white_box knowledge"):
            attackers_game(played=blind)


class TestCodec:
    def test_a_game_goes_on_from_a_packed_state_as_from_the_state(self):
        game = full_game()
        moves = {"defender": action(0.2, -0.3), **HARD}
        state = played(game, game.initial(stream(0)), moves)
        again = game.codec.unpack(game.codec.pack(state))
        ends = [played(game, each, moves, seed=1) for each in (state, again)]
        assert torch.equal(*(end.federation.parameters for end in ends))
        rewards = [game.reward(each, end, seat="defender") for each, end in zip((state, again), ends, strict=True)]
        assert rewards[0] == rewards[1]


class TestRefusals:
    def test_a_seat_without_a_role_is_named(self):
        domain = (AttackType((Attacker(4, SeatControlled("atacker")),)),)
        with pytest.raises(UnknownName, match=r"^unknown seat 'atacker'; did you mean 'attacker'\?$"):
            FederatedGame(scenario(), domain, {"attacker": attacker()})

    def test_a_domain_of_nothing_is_refused(self):
        with pytest.raises(ConfigError, match="no attack type of positive weight"):
            FederatedGame(scenario(), (replace(SEATED, weight=0.0),), {"attacker": attacker()})

    def test_an_episode_in_which_nobody_can_move_is_refused(self):
        domain = (AttackType((Attacker(4, SeatControlled(), start=99),)),)
        with pytest.raises(ConfigError, match=r"^game\.rounds is 8; no player can move before the game is over"):
            attackers_game(domain=domain).initial(stream(0))

    def test_a_game_in_which_no_draw_samples_anybody_is_refused(self, monkeypatch):
        monkeypatch.setattr(game, "participants_of", lambda scenario, round: Participants((), (), ()))
        with pytest.raises(ConfigError, match=r"^game\.rounds is 8; no malicious client is sampled in any of 10000 ep"):
            attackers_game().initial(stream(0))

    def test_a_game_without_rounds_is_refused(self):
        with pytest.raises(ConfigError, match=r"^game\.rounds is 0; it must be at least 1$"):
            attackers_game(rounds=0)

    def test_a_weight_below_zero_is_refused(self):
        with pytest.raises(ConfigError, match=r"^attack type weight is -1; it must be at least 0 and finite$"):
            AttackType((), weight=-1)

    def test_a_seat_cannot_craft_by_itself(self):
        with pytest.raises(ConfigError, match=r"^seat 'attacker' has no action"):
            play_round(
                as_scenario(attackers_game().initial(stream(0)), Attacker(10, SeatControlled())),
                full_game().initial(stream(0)).federation,
            )


def test_an_episode_from_a_later_state_begins_without_the_memories_of_its_players():
    later = replace(attackers_game().initial(stream(0)).federation, attacks={0: {"x": torch.ones(1)}}, server=SERVER)
    for made in (attackers_game(), full_game()):
        begun = replace(made, starts=(later,)).initial(stream(0)).federation
        assert begun.attacks == {}
        assert bool(begun.server) == ("defender" not in made.roles)
