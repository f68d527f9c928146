"""Checks of aggregation rules."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import nan
from typing import Any, get_args

import torch
from safetensors.torch import load, save

from sparring.arrays import Matrix, Vector
from sparring.conformance.check import Check, are_equal, are_finite, copies, name_case
from sparring.conformance.server import BENIGN, CLIENTS, HOSTILE, defender_view
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import DefenderView, Defense, Family, Memory, family_of, limit_of
from sparring.player_checks import check_answer

CLOSE = 1e-5
"""Maximum distance of two results that differ by rounding."""


def answer(rule: Defense, updates: Matrix, *, memory: Memory | None = None, **seen: Any) -> tuple[Vector, Memory]:
    """Return the rule's step and memory after a round, by default its first; it may modify a copy of the updates."""
    return answered(rule, defender_view(updates.clone(), **seen), memory=memory or {})


def answered(rule: Defense, view: DefenderView, *, memory: Memory) -> tuple[Vector, Memory]:
    return check_answer(rule, rule.aggregate(view, memory), updates=view.updates)


def distance(one: Vector, other: Vector) -> float:
    return float(torch.linalg.vector_norm(one.double() - other.double()))


def its_family_is_a_known_one(rule: Defense) -> Iterator[str]:
    if family_of(rule) not in get_args(Family):
        yield f"its family is {family_of(rule)!r}; it must be one of: {', '.join(get_args(Family))}"


def its_limit_is_a_count_that_grows_with_the_clients(rule: Defense) -> Iterator[str]:
    limits = [limit_of(rule, clients) for clients in range(1, 100)]
    for clients, limit in enumerate(limits, start=1):
        if not isinstance(limit, int) or not 0 <= limit <= clients:
            yield f"of {clients} clients it claims to tolerate {limit!r}"
    if limits != sorted(limits):
        yield "with more clients it tolerates fewer malicious ones"


def agreement_is_kept(rule: Defense) -> Iterator[str]:
    agreed = BENIGN[0] / 4
    step, _ = answer(rule, agreed.expand(CLIENTS, -1), malicious=2)
    if distance(step, agreed) > CLOSE:
        yield f"with equal updates from all clients its step is {distance(step, agreed):.2g} away from them"


def the_order_in_which_clients_arrive_is_irrelevant(rule: Defense) -> Iterator[str]:
    seen: dict[str, Any] = {"malicious": 2, "root": lambda: BENIGN.mean(dim=0)}
    usual, _ = answer(rule, BENIGN, **seen)
    for name, order in {"backwards": range(CLIENTS)[::-1], "from the middle": [*range(5, CLIENTS), *range(5)]}.items():
        apart = distance(answer(rule, BENIGN[list(order)], clients=tuple(order), **seen)[0], usual)
        if apart > CLOSE:
            yield f"{name}: the step is {apart:.2g} away from the usual one"


def every_round_has_a_finite_answer(rule: Defense) -> Iterator[str]:
    for (name, updates), malicious in product(HOSTILE.items(), (0, 2, CLIENTS)):
        noted: list[int] = []

        def note(event: str, rows: Sequence[int], *, noted: list[int] = noted) -> None:
            noted.extend(rows)

        case = f"{name}, {malicious} assumed malicious"
        with name_case(case):
            _, memory = answer(rule, updates, malicious=malicious, note=note)
        if not are_finite(memory.values()):
            yield f"{case}: its memory is not finite"
        if not set(noted) <= set(range(len(updates))):
            yield f"{case}: it notes rows that do not exist"


def updates_of_zero_move_nothing(rule: Defense) -> Iterator[str]:
    step, _ = answer(rule, torch.zeros(3, 4))
    if step.any():
        yield f"the step is {step.tolist()}"


def its_input_is_left_alone(rule: Defense) -> Iterator[str]:
    updates, parameters, memory = BENIGN.clone(), torch.ones(4), answer(rule, BENIGN / 2)[1]
    shown = [updates, parameters, *memory.values()]
    before, names = copies(shown), list(memory)
    answered(rule, defender_view(updates, malicious=2, parameters=parameters, round=1), memory=memory)
    if list(memory) != names or not are_equal(shown[2:], before[2:]):
        yield "it edits its memory in place; return a new one"
    if not are_equal(shown[:2], before[:2]):
        yield "it edits the updates or the parameters in place"


def what_it_returns_shares_no_memory_with_its_input(rule: Defense) -> Iterator[str]:
    updates = BENIGN.clone()
    step, memory = answered(rule, defender_view(updates, malicious=2), memory={})
    before = copies((step, *memory.values()))
    updates.fill_(nan)
    if not are_equal((step, *memory.values()), before):
        yield "what it returned changes with the updates; return a copy"


def its_memory_is_kept_apart_from_its_step(rule: Defense) -> Iterator[str]:
    step, memory = answer(rule, BENIGN, malicious=2)
    before = copies(memory.values())
    step.zero_()
    if not are_equal(memory.values(), before):
        yield "its memory changes with the step that it returned; keep a copy"


def a_run_resumes_from_saved_memory(rule: Defense) -> Iterator[str]:
    memory = answer(rule, BENIGN, malicious=2)[1]
    restored = load(save(dict(memory)))
    steps = [answer(rule, BENIGN / 3, memory=past, round=1)[0] for past in (memory, restored)]
    if not torch.equal(*steps):
        yield "after its memory was saved and loaded its step differs"


def equal_rounds_have_equal_answers(rule: Defense) -> Iterator[str]:
    for name, updates in HOSTILE.items():
        with name_case(name):
            steps = [answer(rule, updates, malicious=2)[0] for _ in range(2)]
        if not torch.equal(*steps):
            yield f"{name}: the same round gives two different results; draw from view.rng"


DEFENSE_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    its_family_is_a_known_one,
    its_limit_is_a_count_that_grows_with_the_clients,
    agreement_is_kept,
    the_order_in_which_clients_arrive_is_irrelevant,
    every_round_has_a_finite_answer,
    updates_of_zero_move_nothing,
    its_input_is_left_alone,
    what_it_returns_shares_no_memory_with_its_input,
    its_memory_is_kept_apart_from_its_step,
    a_run_resumes_from_saved_memory,
    equal_rounds_have_equal_answers,
)
