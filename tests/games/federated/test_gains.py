"""Which rounds of an episode count in a seat's reward."""

from dataclasses import replace

import pytest

from sparring.random import stream
from tests.games.federated.playing import action, attackers_game, scenario


@pytest.mark.parametrize(("gain", "counted"), [("level", 4), ("late", 2), ("end", 1)])
def test_the_level_counts_in_all_rounds_late_or_at_the_end(gain, counted):
    game = attackers_game(rounds=4, played=scenario(sampled=10))
    game = replace(game, roles={"attacker": replace(game.roles["attacker"], gain=gain)})
    state, rewards = game.initial(stream(0)), []
    while not game.is_over(state):
        after = game.transition(state, {"attacker": action(1, 1, -1)}, rng=stream(state.federation.round))
        rewards.append(game.reward(state, after, seat="attacker"))
        state = after
    assert [reward > 0 for reward in rewards] == [False] * (4 - counted) + [True] * counted
