"""One round: the clients train, the attackers craft, the server aggregates."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, row_norms
from sparring.contracts import DefenderView, Defense, Memory
from sparring.federation.alike_worlds import Train, are_alike, keep_trained, train_alike
from sparring.federation.attack_updates import craft_all
from sparring.federation.benign_updates import root_update, train_benign
from sparring.federation.participants import Participants, participants_of
from sparring.federation.record import RoundRecord, describe_plan
from sparring.federation.scenario import Scenario, check_scenario
from sparring.federation.server import Turn, plan_round
from sparring.federation.state import FederationState, check_state
from sparring.player_checks import check_answer, guard_player
from sparring.random import stream
from sparring.records import round_number


class Answer(NamedTuple):
    """The server's part of a round: the step, the rule's memory, the dropped clients and the noted events."""

    step: Vector
    memory: Memory
    dropped: tuple[int, ...]
    noted: dict[str, tuple[int, ...]]


def play_round(
    scenario: Scenario, state: FederationState, *, workspace: Matrix | None = None
) -> tuple[FederationState, RoundRecord]:
    """Simulate one round; `workspace` is a `[sampled, parameters]` matrix that the updates may overwrite."""
    check_scenario("play_round: scenario", scenario)
    check_state("play_round: state", state)
    return _play(scenario, state, workspace=workspace, train=train_benign)


def play_rounds(
    scenarios: Sequence[Scenario], states: Sequence[FederationState]
) -> list[tuple[FederationState, RoundRecord]]:
    """Simulate one round of several worlds.

    Where the worlds draw the same and train dense models, their benign clients train in one call, with other rounding
    than `play_round`; results depend on the worlds and their order, and on nothing else.
    """
    clients = [participants_of(scenario, state.round).benign for scenario, state in zip(scenarios, states, strict=True)]
    matrices: Sequence[Matrix | None] = [None] * len(states)
    train: Train = train_benign
    if are_alike([scenario.federation for scenario in scenarios], states, clients=clients):
        matrices = train_alike(scenarios[0].federation, states, clients=clients[0])
        train = keep_trained
    played = zip(scenarios, states, matrices, strict=True)
    return [_play(scenario, state, workspace=matrix, train=train) for scenario, state, matrix in played]


def _play(
    scenario: Scenario, state: FederationState, *, workspace: Matrix | None, train: Train
) -> tuple[FederationState, RoundRecord]:
    federation = scenario.federation
    who = participants_of(scenario, state.round)
    parameters = state.parameters
    updates = parameters.new_empty(len(who.rows), len(parameters)) if workspace is None else workspace
    root = cache(partial(root_update, federation, state))
    turn = plan_round(scenario, state, clients=who.sampled, root=root)
    momenta = train(federation, state, clients=who.benign, out=updates[: len(who.benign)])
    crafting = craft_all(turn.scenario, turn.state, who=who, updates=updates, root=root)
    norms = row_norms(updates)
    answer = _answer(turn, updates=updates, who=who, finite=torch.isfinite(norms), root=root)
    after = FederationState(
        round=state.round + 1,
        parameters=torch.sub(state.parameters, answer.step, alpha=federation.server_lr),
        memory=turn.keep(state, answer.memory),
        momenta=momenta,
        previous=state.parameters if scenario.attackers else None,
        server=turn.memory,
        attacks=crafting.memories,
    )
    record = RoundRecord(
        round=after.round,
        sampled=who.rows,
        malicious=who.malicious,
        dropped=answer.dropped,
        clipped=answer.noted.get("clipped"),
        selected=answer.noted.get("selected"),
        diverged=crafting.noted.get("diverged"),
        norms=tuple(round_number(norm) for norm in norms.tolist()),
        step_norm=round_number(float(row_norms(answer.step[None]))),
        planned=None if turn.plan is None else describe_plan(turn.plan),
    )
    return after, record


def _answer(turn: Turn, *, updates: Matrix, who: Participants, finite: Tensor, root: Callable[[], Vector]) -> Answer:
    """Aggregate the finite rows; a dropped row counts as one of those assumed to be malicious."""
    kept = tuple(client for client, keep in zip(who.rows, finite.tolist(), strict=True) if keep)
    scenario, state = turn.scenario, turn.state
    dropped = tuple(client for client in who.rows if client not in kept)
    if not kept:
        return Answer(torch.zeros_like(state.parameters), state.memory, dropped, {})
    noted: dict[str, tuple[int, ...]] = {}

    def note(event: str, indices: Sequence[int]) -> None:
        noted[event] = tuple(kept[index] for index in indices)

    view = DefenderView(
        round=state.round,
        parameters=state.parameters,
        updates=updates[finite] if dropped else updates,
        clients=kept,
        malicious=who.assumed(scenario, kept),
        root=root,
        rng=stream(scenario.federation.seed, "defense", state.round),
        network=scenario.federation.network,
        note=note,
    )
    step, memory = _aggregate(turn.rule, view, memory=state.memory)
    return Answer(step, memory, dropped, noted)


def _aggregate(defense: Defense, view: DefenderView, *, memory: Memory) -> tuple[Vector, Memory]:
    """Run the rule, and check what it returns."""
    with guard_player("defense", defense) as watch:
        watch.show("updates", view.updates)
        watch.show("parameters", view.parameters)
        for name, tensor in memory.items():
            watch.show(f"its memory {name!r}", tensor)
        answer = defense.aggregate(view, memory)
    return check_answer(defense, answer, updates=view.updates)
