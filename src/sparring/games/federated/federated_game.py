"""The Bayesian Stackelberg Markov game over a federation (MSG, section 2.2; Li et al., 2022, section 4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch

from sparring.arrays import Numbers, Packed, briefly, moved
from sparring.attacks.learned.observation import observation
from sparring.contracts import Model, Packing, Space
from sparring.errors import ConfigError, UnknownName
from sparring.federation import (
    Attacker,
    FederationState,
    Scenario,
    deployed,
    initial_state,
    play_round,
)
from sparring.federation.packing import pack, unpack
from sparring.federation.sampling import Lineup, lineup
from sparring.federation.scenario import check_scenario
from sparring.games.federated.attack_type import AttackType, Seated
from sparring.games.federated.roles import AttackerRole, DefenderRole
from sparring.models.summary import summary
from sparring.random import Generator
from sparring.registry import offer
from sparring.validation import check_counts

DEFENDER = "defender"
SEEDS = 1 << 31


@dataclass(frozen=True, eq=False)
class GameState:
    """The federation between two moves; `kind`, the type of the attackers, is hidden from the defender."""

    federation: FederationState
    seed: int
    """Names the random draws up to the next move: who is sampled is settled before anybody moves."""
    kind: int
    """The place of the attack type in the game's domain."""
    posture: tuple[float, ...] = ()
    """The defender's last action."""
    known: dict[str, float] = field(default_factory=dict, repr=False)
    """What the state is worth to a seat, once that has been asked for."""

    __repr__ = briefly


def pack_state(state: GameState) -> Packed:
    """Return a state as it goes to disk."""
    tensors, numbers = pack(state.federation)
    beside = {"seed": state.seed, "kind": state.kind, "posture": list(state.posture), "known": dict(state.known)}
    return Packed(tensors, {**numbers, **beside})


def unpack_state(packed: Packed, device: torch.device | None = None) -> GameState:
    """Return the state that was packed, on a device if there is one."""
    numbers = packed.numbers
    posture, known = tuple(numbers["posture"]), dict(numbers["known"])
    federation = unpack(packed) if device is None else moved(unpack(packed), device)
    return GameState(federation, numbers["seed"], numbers["kind"], posture, known)


@dataclass(frozen=True, eq=False)
class FederatedGame:
    """A federation in which seats set, round by round, what the attackers and the server do.

    An episode's attack type is drawn from `domain` by its weights; an attacker of it whose attack is `Seated` is played
    by that seat. A step is a round in which a malicious client is sampled, and what is played until the next one; with
    a seated defender every round is a step. A seat without a sampled client is asked all the same, and not heeded.
    """

    scenario: Scenario
    """The federation with its rule and repair; its own attackers do not take part."""
    domain: Sequence[AttackType]
    roles: Mapping[str, AttackerRole | DefenderRole]
    """Each seat's role; the server's seat is `defender`."""
    rounds: int = 100
    start: FederationState | None = None
    """What each episode starts from; the federation's initial model where there is none."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_scenario("game: scenario", self.scenario)
        check_counts("game", rounds=self.rounds)
        if self.rounds < 1:
            raise ConfigError(f"game.rounds is {self.rounds}; it must be at least 1")
        if sum(kind.weight for kind in self.domain) <= 0:
            raise ConfigError("game.domain has no attack type of positive weight; give at least one")
        for kind in self.domain:
            for seat in kind.seats:
                if seat not in self.roles:
                    raise UnknownName(f"unknown seat {seat!r}{offer(seat, self.roles)}")

    @property
    def seats(self) -> Mapping[str, Space]:
        """The sizes of what each seat sees and answers."""
        network = self.scenario.federation.network
        return {seat: role.space(network) for seat, role in self.roles.items()}

    def initial(self, rng: Generator) -> GameState:
        weights = np.array([kind.weight for kind in self.domain])
        kind = int(rng.choice(len(weights), p=weights / weights.sum()))
        start = initial_state(self.scenario.federation) if self.start is None else self.start
        state = self._settled(GameState(start, int(rng.integers(SEEDS)), kind))
        if self.is_over(state):
            raise ConfigError(f"game.rounds is {self.rounds}; nobody can move before it is over, use more rounds")
        return state

    def observe(self, state: GameState, seat: str) -> Numbers:
        role, network = self.roles[seat], self.scenario.federation.network
        parameters = state.federation.parameters
        if isinstance(role, DefenderRole):
            return summary(network, parameters, layers=role.layers)
        return observation(
            network,
            parameters,
            malicious=self._sampled(state, seat),
            sampled=self.scenario.federation.sampled,
            layers=role.layers,
        )

    def transition(self, state: GameState, actions: Mapping[str, Numbers], *, rng: Generator) -> GameState:
        posture = tuple(np.clip(actions[DEFENDER], -1, 1).tolist()) if DEFENDER in self.roles else ()
        played = self._scenario(state, actions, posture=posture)
        after, _ = play_round(played, state.federation)
        return self._settled(GameState(after, int(rng.integers(SEEDS)), state.kind, posture))

    def reward(self, before: GameState, after: GameState, *, seat: str) -> float:
        level = self._worth(after, seat)
        return level - self._worth(before, seat) if self.roles[seat].gain == "rise" else level

    def is_over(self, state: GameState) -> bool:
        return state.federation.round >= self.rounds

    @property
    def packing(self) -> Packing[GameState]:
        return Packing(pack_state, partial(unpack_state, device=self.scenario.federation.device))

    def _settled(self, state: GameState) -> GameState:
        """Play the rounds in which nobody moves."""
        if DEFENDER in self.roles:
            return state
        scenario, federation = self._scenario(state), state.federation
        while federation.round < self.rounds and not lineup(scenario, federation.round).teams:
            federation, _ = play_round(scenario, federation)
        return replace(state, federation=federation)

    def _scenario(
        self, state: GameState, actions: Mapping[str, Numbers] | None = None, *, posture: tuple[float, ...] = ()
    ) -> Scenario:
        """Return what is played: this episode's attackers, as these actions have them, and the server's posture."""
        federation = replace(self.scenario.federation, seed=state.seed)
        attackers = tuple(self._played(attacker, actions or {}) for attacker in self.domain[state.kind].attackers)
        scenario = replace(self.scenario, federation=federation, attackers=attackers)
        defender = self.roles.get(DEFENDER)
        if not posture or not isinstance(defender, DefenderRole):
            return scenario
        rule, repair = defender.acting.posture(np.array(posture, dtype=np.float32))
        return replace(scenario, defense=rule, repair=repair)

    def _played(self, attacker: Attacker, actions: Mapping[str, Numbers]) -> Attacker:
        if not isinstance(attacker.attack, Seated) or attacker.attack.seat not in actions:
            return attacker
        role = self.roles[attacker.attack.seat]
        assert isinstance(role, AttackerRole)
        return replace(attacker, attack=role.acting.attack(actions[attacker.attack.seat]))

    def _sampled(self, state: GameState, seat: str) -> int:
        """Return how many clients of a seat are sampled."""
        who: Lineup = lineup(self._scenario(state), state.federation.round)
        attacks = ((team.party.attacker.attack, team.clients) for team in who.teams)
        return sum(len(clients) for attack, clients in attacks if isinstance(attack, Seated) and attack.seat == seat)

    def _worth(self, state: GameState, seat: str) -> float:
        """Return what the state is worth to a seat."""
        if seat not in state.known:
            role = self.roles[seat]
            parties = self._scenario(state, posture=state.posture)
            global_model = Model(self.scenario.federation.network, state.federation.parameters)
            model = deployed(parties, state.federation) if role.is_deployed else global_model
            state.known[seat] = role.objective.value(model)
        return state.known[seat]
