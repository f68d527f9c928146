"""What the attackers of a round submit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sparring.arrays import Matrix, Vector
from sparring.contracts import Attack, Note
from sparring.federation.malicious_training import OwnTraining
from sparring.federation.participants import ActiveAttacker, Participants
from sparring.federation.player_checks import MutationGuard, check_rows, playing
from sparring.federation.scenario import Scenario
from sparring.federation.state import FederationState
from sparring.random import stream


def craft_all(
    scenario: Scenario, state: FederationState, *, who: Participants, updates: Matrix, root: Callable[[], Vector]
) -> Mapping[str, tuple[int, ...]]:
    """Write each team's rows behind the benign ones in `updates`, in the order of the attackers.

    Returned are the events that they told of, with the clients these happened to.
    """
    first = len(who.benign)
    noted: dict[str, tuple[int, ...]] = {}
    for team in who.teams:
        rows = updates[first : first + len(team.clients)]
        attack = team.party.attacker.attack
        own = OwnTraining(scenario.federation, state, team.party.attacker, team.clients)
        if attack is None:
            rows.copy_(own())
        else:
            sent = _sent(scenario, who, updates=updates[:first])
            made = {"own": own, "recipe": own.recipe, "root": root, "note": _notes(noted, team)}
            seen = _seen(scenario, state, team=team) | {"assumed_malicious": who.told(scenario, who.rows)}
            rows.copy_(_crafted(attack, seen | sent | made, rows=rows))
        first += len(rows)
    return noted


def _notes(noted: dict[str, tuple[int, ...]], team: ActiveAttacker) -> Note:
    """Return what a team tells of events with."""

    def note(event: str, rows: Sequence[int]) -> None:
        noted[event] = noted.get(event, ()) + tuple(team.clients[row] for row in rows)

    return note


def _sent(scenario: Scenario, who: Participants, *, updates: Matrix) -> dict[str, object]:
    """Return what an attacker is told of the updates before its own: what allies send only if all are one."""
    benign = len(who.benign)
    told = len(updates) if scenario.threat.mastermind else benign
    return {
        "benign": updates[:benign],
        "benign_clients": who.benign,
        "allied": updates[benign:told].data,  # counts the writes to it apart from those to the benign rows
        "allied_clients": who.rows[benign:told],
    }


def _seen(scenario: Scenario, state: FederationState, *, team: ActiveAttacker) -> dict[str, object]:
    """Return what there is to see, by the names of the views' fields."""
    federation = scenario.federation
    return {
        "round": state.round,
        "parameters": state.parameters,
        "previous": state.previous,
        "clients": team.clients,
        "sampled": federation.sampled,
        "network": federation.network,
        "shards": team.party.shards,
        "rule": scenario.defense,
        "memory": state.memory,
        "rng": stream(federation.seed, "attack", team.place, state.round),
    }


def _crafted(attack: Attack, seen: Mapping[str, Any], *, rows: Matrix) -> Matrix:
    """Let the attack play from the least view that it needs, and check what it returns."""
    with playing("attack", attack) as watch:
        watched = _watched(seen, watch)
        view = attack.needs(**{field.name: watched[field.name] for field in fields(attack.needs)})
        crafted = attack.craft(view)  # type: ignore[arg-type]  # the view is the one that the attack says it needs
    return check_rows(attack, crafted, shape=rows.shape)


def _watched(seen: Mapping[str, Any], watch: MutationGuard) -> Mapping[str, Any]:
    """Let an edit of what there is to see be noticed."""
    for name in ("parameters", "previous", "benign", "allied"):
        if seen[name] is not None:
            watch.show(name, seen[name])
    for name, tensor in seen["memory"].items():
        watch.show(f"the rule's memory {name!r}", tensor)
    return {**seen, **{name: watch.later(name, seen[name]) for name in ("own", "root")}}
