"""The participants of a round, benign and malicious."""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from sparring.contracts import is_oracle
from sparring.federation.scenario import AttackerClients, Federation, Scenario
from sparring.random import stream


class ActiveAttacker(NamedTuple):
    """One attacker in one round: its number in the list of attackers, and its sampled clients."""

    number: int
    party: AttackerClients
    clients: tuple[int, ...]


class Participants(NamedTuple):
    """The sampled clients of a round: the benign ones, and the teams of the active attackers."""

    sampled: tuple[int, ...]
    benign: tuple[int, ...]
    teams: tuple[ActiveAttacker, ...]

    @property
    def malicious(self) -> tuple[int, ...]:
        """The malicious clients, team by team."""
        return tuple(client for team in self.teams for client in team.clients)

    def assumed(self, scenario: Scenario, kept: Collection[int]) -> int:
        """Return the number of malicious rows, among the kept ones, that the server passes to its rule.

        It is the number that the threat model assumes, less one for each dropped row; an oracle gets the true number.
        """
        if is_oracle(scenario.defense):
            return len(set(self.malicious).intersection(kept))
        return max(0, scenario.threat.assumed(len(self.rows)) - (len(self.rows) - len(kept)))

    @property
    def rows(self) -> tuple[int, ...]:
        """The client of each row of the update matrix: benign ones first, so that they are contiguous in memory."""
        return self.benign + self.malicious


def sample_clients(federation: Federation, round: int) -> tuple[int, ...]:
    """Draw the clients of `round`, uniformly without replacement; equal for every attack, rule and backend."""
    return _draw_clients(federation.seed, round, federation.clients, federation.sampled)


# A game asks for the clients of a round several times: for its next move, for the observation and for the round itself.
@lru_cache(maxsize=1024)
def _draw_clients(seed: int, round: int, clients: int, sampled: int) -> tuple[int, ...]:
    rng = stream(seed, "sampling", round)
    return tuple(rng.choice(clients, sampled, replace=False).tolist())


def participants_of(scenario: Scenario, round: int) -> Participants:
    """Return the participants of `round`; an attacker's clients are benign until it starts."""
    sampled = sample_clients(scenario.federation, round)
    teams = [
        ActiveAttacker(number, party, tuple(client for client in sampled if client in party.clients))
        for number, party in enumerate(scenario.parties)
        if round >= party.attacker.start
    ]
    malicious = {client for team in teams for client in team.clients}
    benign = tuple(client for client in sampled if client not in malicious)
    return Participants(sampled, benign, tuple(team for team in teams if team.clients))
