"""The updates that a round's attackers submit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from sparring.arrays import Matrix, Vector
from sparring.contracts import Attack, BlackBoxView, Memory, Note, OmniscientView, RememberingAttack, unnoted
from sparring.federation.malicious_training import OwnTraining
from sparring.federation.participants import ActiveAttacker, Participants
from sparring.federation.scenario import Scenario
from sparring.federation.state import FederationState
from sparring.player_checks import MutationGuard, check_crafted, guard_player
from sparring.random import stream


class Crafting(NamedTuple):
    """The events that the attacks of a round noted, with the clients concerned, and all attackers' memories."""

    noted: Mapping[str, tuple[int, ...]]
    memories: Mapping[int, Memory]


def craft_all(
    scenario: Scenario, state: FederationState, *, who: Participants, updates: Matrix, root: Callable[[], Vector]
) -> Crafting:
    """Write each team's rows after the benign ones in `updates`, in the order of the attackers."""
    first = len(who.benign)
    noted: dict[str, tuple[int, ...]] = {}
    memories = dict(state.attacks)
    for team in who.teams:
        rows = updates[first : first + len(team.clients)]
        attack = team.party.attacker.attack
        own = OwnTraining(scenario.federation, state, team.party.attacker, team.clients)
        if attack is None:
            rows.copy_(own())
        else:
            submitted = _submitted(scenario, who, updates=updates[:first])
            made = {"own": own, "recipe": own.recipe, "root": root, "note": _notes(noted, team)}
            seen = _seen(scenario, state, team=team) | {"assumed_malicious": who.assumed(scenario, who.rows)}
            crafted, memory = _craft(
                attack, seen | submitted | made, before=state.attacks.get(team.number, {}), rows=rows
            )
            rows.copy_(crafted)
            if memory:
                memories[team.number] = memory
            else:
                memories.pop(team.number, None)
        first += len(rows)
    return Crafting(noted, memories)


def black_box_view(scenario: Scenario, state: FederationState, *, team: ActiveAttacker) -> BlackBoxView:
    """Return what every attacker knows in a round, before anything is crafted."""
    own = OwnTraining(scenario.federation, state, team.party.attacker, team.clients)
    seen = _seen(scenario, state, team=team) | {"own": own, "recipe": own.recipe, "note": unnoted}
    return BlackBoxView(**{field.name: seen[field.name] for field in fields(BlackBoxView)})  # type: ignore[arg-type]


def _notes(noted: dict[str, tuple[int, ...]], team: ActiveAttacker) -> Note:
    """Return the function with which a team notes events."""

    def note(event: str, rows: Sequence[int]) -> None:
        noted[event] = noted.get(event, ()) + tuple(team.clients[row] for row in rows)

    return note


def _submitted(scenario: Scenario, who: Participants, *, updates: Matrix) -> dict[str, object]:
    """Return the view's fields on earlier updates; allies' updates are shown only if one adversary controls them."""
    benign = len(who.benign)
    shown = len(updates) if scenario.threat.mastermind else benign
    return {
        "benign": updates[:benign],
        "benign_clients": who.benign,
        "allied": updates[benign:shown].data,  # a separate version counter, so that writes to benign rows do not count
        "allied_clients": who.rows[benign:shown],
    }


def _seen(scenario: Scenario, state: FederationState, *, team: ActiveAttacker) -> dict[str, object]:
    """Return the values of the views' fields that describe the scenario and the state."""
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
        "rng": stream(federation.seed, "attack", team.number, state.round),
    }


def _craft(attack: Attack, seen: Mapping[str, Any], *, before: Memory, rows: Matrix) -> tuple[Matrix, Memory]:
    """Run the attack on the view that it needs, and check what it returns."""
    with guard_player("attack", attack) as watch:
        watched = _watch(seen, watch)
        view = attack.needs(**{field.name: watched[field.name] for field in fields(attack.needs)})
        for name, tensor in before.items():
            watch.show(f"its memory {name!r}", tensor)
        answer = _play(attack, view, before)  # type: ignore[arg-type]  # the view is the one that it needs
    return check_crafted(attack, answer, shape=rows.shape)


def _play(attack: Attack, view: OmniscientView, before: Memory) -> tuple[Matrix, Memory]:
    """Return the rows of an attack and its memory; one without a memory keeps none."""
    return attack.craft_from(view, before) if isinstance(attack, RememberingAttack) else (attack.craft(view), {})


def _watch(seen: Mapping[str, Any], watch: MutationGuard) -> Mapping[str, Any]:
    """Register the view's tensors, so that a mutation is detected."""
    for name in ("parameters", "previous", "benign", "allied"):
        if seen[name] is not None:
            watch.show(name, seen[name])
    for name, tensor in seen["memory"].items():
        watch.show(f"the rule's memory {name!r}", tensor)
    return {**seen, **{name: watch.later(name, seen[name]) for name in ("own", "root")}}
