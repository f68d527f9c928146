"""What the attackers of a round submit."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, partial
from typing import Any

from sparring.arrays import Matrix, Vector
from sparring.contracts import Attack
from sparring.federation.clients import train_malicious
from sparring.federation.conduct import Watch, check_rows, playing
from sparring.federation.sampling import Lineup, Team
from sparring.federation.scenario import Scenario
from sparring.federation.state import FederationState
from sparring.random import stream


def craft_all(
    scenario: Scenario, state: FederationState, *, who: Lineup, updates: Matrix, root: Callable[[], Vector]
) -> None:
    """Write each team's rows behind the honest ones in `updates`, in the order of the attackers."""
    first = len(who.honest)
    for team in who.teams:
        rows = updates[first : first + len(team.clients)]
        attack, poison = team.party.attacker.attack, team.party.attacker.poison
        own = cache(partial(train_malicious, scenario.federation, state, clients=team.clients, poison=poison))
        if attack is None:
            rows.copy_(own())
        else:
            sent = {"honest": updates[: len(who.honest)], "honest_clients": who.honest, "own": own, "root": root}
            rows.copy_(_crafted(attack, _seen(scenario, state, team=team) | sent, rows=rows))
        first += len(rows)


def _seen(scenario: Scenario, state: FederationState, *, team: Team) -> dict[str, object]:
    """Return what there is to see, by the names of the views' fields."""
    federation = scenario.federation
    return {
        "round": state.round,
        "parameters": state.parameters,
        "clients": team.clients,
        "sampled": federation.sampled,
        "network": federation.network,
        "shards": team.party.shards,
        "recipe": federation.recipe,
        "rule": scenario.defense,
        "memory": state.memory,
        "assumed_malicious": scenario.threat.assumed(federation.sampled),
        "rng": stream(federation.seed, "attack", team.place, state.round),
    }


def _crafted(attack: Attack, seen: Mapping[str, Any], *, rows: Matrix) -> Matrix:
    """Let the attack play from the least view that it needs, and check what it returns."""
    with playing("attack", attack) as watch:
        watched = _watched(seen, watch)
        view = attack.needs(**{field.name: watched[field.name] for field in fields(attack.needs)})
        crafted = attack.craft(view)  # type: ignore[arg-type]  # the view is the one that the attack says it needs
    return check_rows(attack, crafted, shape=rows.shape)


def _watched(seen: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    """Let an edit of what there is to see be noticed."""
    for name in ("parameters", "honest"):
        watch.show(name, seen[name])
    for name, tensor in seen["memory"].items():
        watch.show(f"the rule's memory {name!r}", tensor)
    return {**seen, **{name: watch.later(name, seen[name]) for name in ("own", "root")}}
