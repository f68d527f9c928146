"""Who takes part in a round, and on which side."""

from collections.abc import Collection
from typing import NamedTuple

from sparring.contracts import is_oracle
from sparring.federation.scenario import AttackerClients, Federation, Scenario
from sparring.random import stream


class ActiveAttacker(NamedTuple):
    """One attacker in one round: its place in the list, and those of its clients that were sampled."""

    place: int
    party: AttackerClients
    clients: tuple[int, ...]


class Participants(NamedTuple):
    """The sampled clients of a round: the benign ones, and the teams of those that attack in it."""

    sampled: tuple[int, ...]
    benign: tuple[int, ...]
    teams: tuple[ActiveAttacker, ...]

    @property
    def malicious(self) -> tuple[int, ...]:
        """The clients that attack, team by team."""
        return tuple(client for team in self.teams for client in team.clients)

    def told(self, scenario: Scenario, kept: Collection[int]) -> int:
        """Return how many of the rows kept the server's rule is told to be malicious.

        That is what the threat model assumes, less one for each row that was dropped; an oracle is told the truth.
        """
        if is_oracle(scenario.defense):
            return len(set(self.malicious).intersection(kept))
        return max(0, scenario.threat.assumed(len(self.rows)) - (len(self.rows) - len(kept)))

    @property
    def rows(self) -> tuple[int, ...]:
        """The client of each row of the update matrix: benign ones first, so that they are one block of memory."""
        return self.benign + self.malicious


def sample_clients(federation: Federation, round: int) -> tuple[int, ...]:
    """Draw the clients of `round`, uniformly without replacement; the same under every attack, rule and backend."""
    rng = stream(federation.seed, "sampling", round)
    return tuple(rng.choice(federation.clients, federation.sampled, replace=False).tolist())


def participants_of(scenario: Scenario, round: int) -> Participants:
    """Return who plays `round`; an attacker's clients are benign until it starts."""
    sampled = sample_clients(scenario.federation, round)
    teams = [
        ActiveAttacker(place, party, tuple(client for client in sampled if client in party.clients))
        for place, party in enumerate(scenario.parties)
        if round >= party.attacker.start
    ]
    malicious = {client for team in teams for client in team.clients}
    benign = tuple(client for client in sampled if client not in malicious)
    return Participants(sampled, benign, tuple(team for team in teams if team.clients))
