"""The server as a player: what it plans in a round, and the rule's own memory under that plan."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

from sparring.arrays import Vector
from sparring.contracts import Defense, Memory, Repair, RoundPlan, Server, ServerView, needs_root_data, traits_of
from sparring.errors import ConfigError
from sparring.federation.scenario import Scenario
from sparring.federation.state import FederationState
from sparring.player_checks import check_plan, guard_player
from sparring.random import stream


@dataclass(frozen=True)
class FixedServer:
    """The server that plans the same rule and the same repair in every round."""

    rule: Defense
    repair: Repair | None = None

    def plan(self, view: ServerView, memory: Memory) -> tuple[RoundPlan, Memory]:
        return RoundPlan(self.rule, self.repair), memory

    def deployed(self, memory: Memory) -> Repair | None:
        return self.repair


class Turn(NamedTuple):
    """A round under the server's plan: the scenario and the state that the other players see, and both memories."""

    scenario: Scenario
    """With the planned rule and repair in the place of the server."""
    state: FederationState
    """With the planned rule's own memory."""
    rule: Defense
    memory: Memory
    """The server's memory for the next round."""
    prefix: str
    """Before the names of the rule's tensors in the state; empty if the rule never changes."""
    plan: RoundPlan | None = None
    """The plan of this round; None if the server plans the same in every round."""

    def keep(self, before: FederationState, memory: Memory) -> Memory:
        """Return the memories of all rules planned so far, with a new one of this round's rule."""
        if not self.prefix:
            return memory
        others = {name: tensor for name, tensor in before.memory.items() if not name.startswith(self.prefix)}
        return others | {self.prefix + name: tensor for name, tensor in memory.items()}


def server_of(scenario: Scenario) -> Server:
    """Return the scenario's server; a rule and its repair are one that never changes them."""
    defense = scenario.defense
    return defense if isinstance(defense, Server) else FixedServer(defense, scenario.repair)


def plan_round(
    scenario: Scenario, state: FederationState, *, clients: tuple[int, ...], root: Callable[[], Vector]
) -> Turn:
    """Let the server plan the round of `state` with these sampled clients, and check its plan."""
    server, seed = server_of(scenario), scenario.federation.seed
    if isinstance(server, FixedServer):
        return Turn(scenario, state, server.rule, state.server, "")
    view = ServerView(
        round=state.round,
        parameters=state.parameters,
        network=scenario.federation.network,
        clients=clients,
        root=root,
        rng=stream(seed, "server", state.round),
        examples=scenario.federation.root,
    )
    with guard_player("defense", server) as watch:
        watch.show("parameters", state.parameters)
        for name, tensor in () if view.examples is None else view.examples._asdict().items():
            watch.show(f"the root data's {name}", tensor)
        for name, tensor in state.server.items():
            watch.show(f"its memory {name!r}", tensor)
        answer = server.plan(view, state.server)
    plan, memory = check_plan(server, answer, parameters=len(state.parameters))
    _check_root(scenario, server, plan)
    return _follow(scenario, state, plan=plan, memory=memory)


def _follow(scenario: Scenario, state: FederationState, *, plan: RoundPlan, memory: Memory) -> Turn:
    """Return the round under a plan; rules of different kinds do not share a memory."""
    settled, prefix = copy(scenario), f"{_kind(plan.rule)}:"
    vars(settled).update(defense=plan.rule, repair=plan.repair)
    own = {name.removeprefix(prefix): each for name, each in state.memory.items() if name.startswith(prefix)}
    return Turn(settled, replace(state, memory=own), plan.rule, memory, prefix, plan)


def _kind(rule: Defense) -> str:
    """Name a rule and those that it wraps."""
    name, inner = type(rule).__name__, traits_of(rule).inner
    return name if inner is None else f"{name}.{_kind(inner)}"


def _check_root(scenario: Scenario, server: Server, plan: RoundPlan) -> None:
    repairs = plan.repair is not None and plan.repair.needs_root
    needs_root = repairs or needs_root_data(server) or needs_root_data(plan.rule)
    if needs_root and scenario.federation.root is None:
        name = type(server).__name__
        raise ConfigError(f"defense {name} plans a player that needs root data; use data.root_size >= 1")
