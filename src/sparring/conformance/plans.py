"""Checks of servers, which plan the rule and the repair of each round."""

from collections.abc import Iterator
from typing import Any

import torch
from safetensors.torch import load, save

from sparring.conformance.adversary import PARAMETERS, RandomShards, logistic
from sparring.conformance.check import Check, are_equal, are_finite, copies
from sparring.conformance.rules import answer
from sparring.conformance.server import BENIGN, CLIENTS
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Memory, RoundPlan, Server, ServerView
from sparring.player_checks import check_plan
from sparring.random import stream


def server_view(**seen: Any) -> ServerView:
    """Return what a server sees of a round with logistic regression as the model."""
    round = seen.get("round", 0)
    usual = ServerView(
        round=round,
        parameters=logistic().initial(stream(0, "model", round)),
        network=logistic(),
        clients=tuple(range(CLIENTS)),
        root=lambda: torch.full((PARAMETERS,), 0.01),
        rng=stream(0, "server", round),
        examples=RandomShards()[0],
    )
    return usual._replace(**seen)


def planned(server: Server, memory: Memory, **seen: Any) -> tuple[RoundPlan, Memory]:
    """Return a server's plan of a round and its memory."""
    return check_plan(server, server.plan(server_view(**seen), memory), parameters=PARAMETERS)


def each_round_has_a_plan_that_can_be_played(server: Server) -> Iterator[str]:
    memory: Memory = {}
    for round in range(3):
        plan, memory = planned(server, memory, round=round)
        step, _ = answer(plan.rule, BENIGN, malicious=2)
        if not are_finite([step]):
            yield f"round {round}: the step of {plan.rule} is not finite"
        if not are_finite(memory.values()):
            yield f"round {round}: its memory is not finite"


def the_repair_of_a_round_is_the_one_that_is_deployed(server: Server) -> Iterator[str]:
    memory: Memory = {}
    for round in range(3):
        plan, memory = planned(server, memory, round=round)
        deployed = server.deployed(load(save(dict(memory))))
        if repr(deployed) != repr(plan.repair):
            yield f"round {round}: it plans {plan.repair} and deploys {deployed}; it must follow from its memory"


def equal_rounds_have_equal_plans(server: Server) -> Iterator[str]:
    plans = [planned(server, {})[0] for _ in range(2)]
    if repr(plans[0]) != repr(plans[1]):
        yield "the same round gives two different plans; draw from view.rng"


def what_a_server_sees_is_left_alone(server: Server) -> Iterator[str]:
    memory, parameters = planned(server, {})[1], logistic().initial(stream(0, "model", 1))
    shown = [parameters, *memory.values()]
    before, names = copies(shown), list(memory)
    server.plan(server_view(round=1, parameters=parameters), memory)
    if list(memory) != names or not are_equal(shown, before):
        yield "it edits the parameters or its memory in place"


def a_run_resumes_from_a_saved_plan(server: Server) -> Iterator[str]:
    memory = planned(server, {})[1]
    plans = [repr(planned(server, past, round=1)[0]) for past in (memory, load(save(dict(memory))))]
    if plans[0] != plans[1]:
        yield "after its memory was saved and loaded its plan differs"


SERVER_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    each_round_has_a_plan_that_can_be_played,
    the_repair_of_a_round_is_the_one_that_is_deployed,
    equal_rounds_have_equal_plans,
    what_a_server_sees_is_left_alone,
    a_run_resumes_from_a_saved_plan,
)
