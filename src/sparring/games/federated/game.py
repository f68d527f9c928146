"""The Bayesian Stackelberg Markov game over a federation (MSG, section 2.2; Li et al., 2022, section 4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from sparring.arrays import FloatArray, briefly, move_tensors
from sparring.contracts import JointTransition, Model, Space
from sparring.defenses.learned.actions import ActionServer
from sparring.errors import ConfigError, UnknownName
from sparring.federation import Attacker, FederationState, Scenario, initial_state, play_rounds, repair_model
from sparring.federation.attack_updates import black_box_view
from sparring.federation.participants import ActiveAttacker, participants_of
from sparring.federation.scenario import check_scenario, variant
from sparring.federation.state import pack, unpack
from sparring.games.federated.attack_types import AttackType, SeatControlled
from sparring.games.federated.seat_cache import SeatCache
from sparring.games.federated.seats import AttackerSeat, DefenderSeat
from sparring.models.summary import summary
from sparring.policies.observation import observation
from sparring.random import Generator
from sparring.registry import offer
from sparring.snapshot import Codec, Snapshot
from sparring.validation import check_counts

DEFENDER = "defender"
SEEDS = 1 << 31
NO_ACTIONS: Mapping[str, FloatArray] = MappingProxyType({})
DRAWS = 10_000
"""Maximum number of redraws of an episode in which no malicious client is sampled."""


@dataclass(frozen=True, eq=False)
class GameState:
    """The federation between two moves; `kind`, the attackers' type, is hidden from the defender."""

    federation: FederationState
    seed: int
    """Seed of the random draws until the next move: the clients are sampled before any player moves."""
    kind: int
    """The index of the attack type in the game's domain."""
    end: int | None = None
    """The round in which the episode ends; None means the game's last."""

    __repr__ = briefly


def pack_state(state: GameState) -> Snapshot:
    """Return a state as a snapshot."""
    tensors, numbers = pack(state.federation)
    own = {"seed": state.seed, "kind": state.kind}
    return Snapshot(tensors, numbers | own | ({} if state.end is None else {"end": state.end}))


def unpack_state(packed: Snapshot, device: torch.device | None = None) -> GameState:
    """Return the state in a snapshot, on a device if one is given."""
    numbers = packed.numbers
    federation = unpack(packed) if device is None else move_tensors(unpack(packed), device)
    return GameState(federation, numbers["seed"], numbers["kind"], numbers.get("end"))


@dataclass(frozen=True, eq=False)
class FederatedGame:
    """A federation in which seats set, round by round, what the attackers and the server do.

    An episode's attack type is drawn from `domain` by its weights; an attacker whose attack is `SeatControlled` is
    controlled by that seat. A step is a round in which a malicious client is sampled, together with the rounds until
    the next such round; with a defender seat every round is a step. A seat without a sampled client is queried; its
    action is ignored.

    Without a defender seat, an episode in which no malicious client would be sampled is drawn again.
    """

    scenario: Scenario
    """The federation with its rule and repair; the scenario's own attackers do not take part."""
    domain: Sequence[AttackType]
    roles: Mapping[str, AttackerSeat | DefenderSeat]
    """The settings of each seat; the server's seat is `defender`."""
    rounds: int = 100
    starts: Sequence[FederationState] = ()
    """States of which one is drawn as the start of each episode; none means the federation's initial model."""
    span: int | None = None
    """Maximum number of rounds of an episode; None means that every episode lasts until round `rounds`."""
    _worths: SeatCache[GameState, float] = field(default_factory=SeatCache, init=False, repr=False)
    _features: SeatCache[GameState, tuple[float, ...]] = field(default_factory=SeatCache, init=False, repr=False)

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_scenario("game: scenario", self.scenario)
        check_counts("game", rounds=self.rounds)
        if self.rounds < 1:
            raise ConfigError(f"game.rounds is {self.rounds}; it must be at least 1")
        check_counts("game", span=1 if self.span is None else self.span)
        if self.span is not None and self.span < 1:
            raise ConfigError(f"game.span is {self.span}; it must be at least 1")
        if sum(kind.weight for kind in self.domain) <= 0:
            raise ConfigError("game.domain has no attack type of positive weight; give at least one")
        for kind in self.domain:
            for seat in kind.seats:
                if seat not in self.roles:
                    raise UnknownName(f"unknown seat {seat!r}{offer(seat, self.roles)}")
        _ = self._scenarios  # reject invalid settings early

    @property
    def seats(self) -> Mapping[str, Space]:
        """The spaces of each seat's observation and action."""
        network = self.scenario.federation.network
        return {seat: role.space(network) for seat, role in self.roles.items()}

    def initial(self, rng: Generator) -> GameState:
        weights = np.array([kind.weight for kind in self.domain])
        kind = int(rng.choice(len(weights), p=weights / weights.sum()))
        start = self._draw_start(rng)
        end = None if self.span is None else min(self.rounds, start.round + self.span)
        if not self._can_begin(start, self.domain[kind]):
            raise ConfigError(
                f"game.rounds is {self.rounds}; no player can move before the game is over, use more rounds"
            )
        for _ in range(DRAWS):
            state = GameState(start, int(rng.integers(SEEDS)), kind, end=end)
            if self._next_move(state) < self._end(state):
                return self._settle([state])[0]
        raise ConfigError(
            f"game.rounds is {self.rounds}; no malicious client is sampled in any of {DRAWS} episodes drawn, use more "
            "rounds or more malicious clients"
        )

    def observe(self, state: GameState, seat: str) -> FloatArray:
        role, network = self.roles[seat], self.scenario.federation.network
        parameters = state.federation.parameters
        if isinstance(role, DefenderSeat):
            return summary(network, parameters, layers=role.layers)
        return observation(
            network,
            parameters,
            malicious=self._sampled(state, seat),
            sampled=self.scenario.federation.sampled,
            layers=role.layers,
            features=() if role.features is None else self._features.of(state, seat, measure=self._measure_features),
        )

    def transition(self, state: GameState, actions: Mapping[str, FloatArray], *, rng: Generator) -> GameState:
        return self._transitions([state], [actions], rngs=[rng])[0]

    def _transitions(
        self, states: Sequence[GameState], actions: Sequence[Mapping[str, FloatArray]], *, rngs: Sequence[Generator]
    ) -> list[GameState]:
        scenarios = list(map(self._scenario, states, actions))
        played = play_rounds(scenarios, [state.federation for state in states])
        after = [
            GameState(federation, int(rng.integers(SEEDS)), state.kind, state.end)
            for (federation, _), state, rng in zip(played, states, rngs, strict=True)
        ]
        return self._settle(after)

    def reward(self, before: GameState, after: GameState, *, seat: str) -> float:
        gain = self.roles[seat].gain
        if (gain == "end" and not self.is_over(after)) or (gain == "late" and not self._is_late(after)):
            return 0.0
        level = self._worth(after, seat)
        return level - self._worth(before, seat) if gain == "rise" else level

    def is_over(self, state: GameState) -> bool:
        return state.federation.round >= self._end(state)

    def is_truncated(self, state: GameState) -> bool:
        """Say whether the game stops at its horizon: training could continue."""
        return self.is_over(state)

    @property
    def transitions(self) -> JointTransition[GameState]:
        return self._transitions

    @property
    def codec(self) -> Codec[GameState]:
        return Codec(pack_state, partial(unpack_state, device=self.scenario.federation.device))

    def _draw_start(self, rng: Generator) -> FederationState:
        """Draw the federation before an episode; what other players remember of earlier rounds is not known in it."""
        if not self.starts:
            return initial_state(self.scenario.federation)
        # Nothing is drawn where there is no choice.
        start = self.starts[int(rng.integers(len(self.starts)))] if len(self.starts) > 1 else self.starts[0]
        return replace(start, attacks={}, server={} if DEFENDER in self.roles else start.server)

    def _end(self, state: GameState) -> int:
        return self.rounds if state.end is None else state.end

    def _is_late(self, state: GameState) -> bool:
        """Say whether a state is in the second half of its episode."""
        end = self._end(state)
        begin = 0 if self.span is None else max(0, end - self.span)
        return 2 * state.federation.round > begin + end

    def _can_begin(self, start: FederationState, kind: AttackType) -> bool:
        """Say whether there is a round in which a player can move."""
        starts = [attacker.start for attacker in kind.attackers if attacker.malicious > 0]
        first = 0 if DEFENDER in self.roles else min(starts, default=self.rounds)
        return max(first, start.round) < self.rounds

    def _next_move(self, state: GameState) -> int:
        """Return the next round in which a player moves; the episode's last if there is none."""
        now, end = state.federation.round, self._end(state)
        if DEFENDER in self.roles:
            return now
        scenario = self._scenario(state)
        return next((round for round in range(now, end) if participants_of(scenario, round).teams), end)

    def _settle(self, states: Sequence[GameState]) -> list[GameState]:
        """Simulate the rounds until a player moves."""
        federations, until = [state.federation for state in states], list(map(self._next_move, states))
        while due := [place for place, each in enumerate(federations) if each.round < until[place]]:
            scenarios = [self._scenario(states[place]) for place in due]
            played = play_rounds(scenarios, [federations[place] for place in due])
            for place, (after, _) in zip(due, played, strict=True):
                federations[place] = after
        return [replace(state, federation=each) for state, each in zip(states, federations, strict=True)]

    @cached_property
    def _scenarios(self) -> tuple[Scenario, ...]:
        """The federation with the attackers of each type: validated once, then simulated in variants."""
        network = self.scenario.federation.network
        actions = {seat: np.zeros(role.space(network).action, np.float32) for seat, role in self.roles.items()}
        defender = self.roles.get(DEFENDER)
        if isinstance(defender, DefenderSeat):  # all that it can plan is of one kind
            rule, repair = defender.acting.decode(actions[DEFENDER])
            replace(self.scenario, defense=rule, repair=repair)
        defended = replace(self.scenario, **self._server(actions))
        for kind in self.domain:
            replace(defended, attackers=[self._control(attacker, actions) for attacker in kind.attackers])
        return tuple(replace(defended, attackers=kind.attackers) for kind in self.domain)

    def _scenario(self, state: GameState, actions: Mapping[str, FloatArray] = NO_ACTIONS) -> Scenario:
        """Return the scenario to simulate: this episode's attackers and the server under these actions."""
        attackers = tuple(self._control(attacker, actions) for attacker in self.domain[state.kind].attackers)
        return variant(self._scenarios[state.kind], seed=state.seed, attackers=attackers, **self._server(actions))

    def _server(self, actions: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the server that plays the defender's action, else that of the scenario."""
        defender = self.roles.get(DEFENDER)
        if not isinstance(defender, DefenderSeat):
            return {"defense": self.scenario.defense, "repair": self.scenario.repair}
        action = tuple(np.clip(actions.get(DEFENDER, ()), -1, 1).tolist())
        return {"defense": ActionServer(defender.acting, action, self.scenario.repair), "repair": None}

    def _control(self, attacker: Attacker, actions: Mapping[str, FloatArray]) -> Attacker:
        if not isinstance(attacker.attack, SeatControlled) or attacker.attack.seat not in actions:
            return attacker
        role = self.roles[attacker.attack.seat]
        assert isinstance(role, AttackerSeat)
        return replace(attacker, attack=role.acting.attack(actions[attacker.attack.seat]))

    def _sampled(self, state: GameState, seat: str) -> int:
        """Return how many clients of a seat are sampled."""
        return sum(len(team.clients) for team in self._teams(self._scenario(state), state, seat))

    def _teams(self, scenario: Scenario, state: GameState, seat: str) -> list[ActiveAttacker]:
        """Return the attackers of a seat with their sampled clients."""
        teams = participants_of(scenario, state.federation.round).teams
        attacks = ((team.party.attacker.attack, team) for team in teams)
        return [team for attack, team in attacks if isinstance(attack, SeatControlled) and attack.seat == seat]

    def _measure_features(self, state: GameState, seat: str) -> tuple[float, ...]:
        """Return what a seat observes beside the model, as its first attacker with a sampled client knows it."""
        role, scenario = self.roles[seat], self._scenario(state)
        assert isinstance(role, AttackerSeat)
        assert role.features is not None
        teams = self._teams(scenario, state, seat)
        if not teams:
            return role.features.unknown
        return role.features.measure(black_box_view(scenario, state.federation, team=teams[0]))

    def _worth(self, state: GameState, seat: str) -> float:
        """Return the value of a state for a seat, computed once."""
        return self._worths.of(state, seat, measure=self._evaluate)

    def _evaluate(self, state: GameState, seat: str) -> float:
        role = self.roles[seat]
        if role.is_deployed:
            return role.objective.value(repair_model(self._scenario(state), state.federation))
        return role.objective.value(Model(self.scenario.federation.network, state.federation.parameters))
