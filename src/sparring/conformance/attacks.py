"""Checks of attacks that craft updates."""

from collections.abc import Iterator
from math import nan

import torch
from safetensors.torch import load, save

from sparring.arrays import Matrix
from sparring.conformance.adversary import BENIGN, PARAMETERS, ROUNDS, attacker_view, narrowed
from sparring.conformance.check import Check, are_equal, are_finite, copies, name_case
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Attack, BlackBoxView, Memory, OmniscientView, RememberingAttack, WhiteBoxView
from sparring.player_checks import check_crafted, check_rows

VIEWS = (BlackBoxView, WhiteBoxView, OmniscientView)


def crafted(attack: Attack, view: OmniscientView) -> Matrix:
    """Return the rows that an attack submits."""
    return check_rows(attack, attack.craft(view), shape=(len(view.clients), len(view.parameters)))


def it_says_what_it_needs_to_know(attack: Attack) -> Iterator[str]:
    if attack.needs not in VIEWS:
        yield f"needs is {attack.needs!r}; it must be one of: {', '.join(view.__name__ for view in VIEWS)}"


def the_view_that_it_needs_is_enough(attack: Attack) -> Iterator[str]:
    full = crafted(attack, attacker_view())
    if not torch.equal(attack.craft(narrowed(attacker_view(), attack.needs)), full):  # type: ignore[arg-type]
        yield f"with the {attack.needs.__name__} that it needs it crafts different rows than with a larger view"


def its_rows_are_finite_floats_one_for_each_client(attack: Attack) -> Iterator[str]:
    for name, (benign, own) in ROUNDS.items():
        with name_case(name):
            rows = crafted(attack, attacker_view(benign, own))
        if rows.dtype != torch.float32:
            yield f"{name}: the rows are {rows.dtype}; they must be torch.float32"
        if not are_finite([rows]):
            yield f"{name}: the rows are not finite"


def a_root_update_of_zero_is_survived(attack: Attack) -> Iterator[str]:
    if not are_finite([crafted(attack, attacker_view(root=lambda: torch.zeros(PARAMETERS)))]):
        yield "the rows are not finite"


def allies_are_handled_and_left_alone(attack: Attack) -> Iterator[str]:
    for name, sent in {
        "usual rows": BENIGN[:2],
        "huge rows": BENIGN[:2].sign() * 1e38,
        "NaN": BENIGN[:2] * nan,
    }.items():
        allied = sent.clone()
        with name_case(f"allies send {name}"):
            rows = crafted(attack, attacker_view(allied=allied, allied_clients=(7, 8)))
        if not are_finite([rows]):
            yield f"allies send {name}: the rows are not finite"
        if not are_equal([allied], [sent]):
            yield f"allies send {name}: it edits `allied` in place"


def what_it_sees_is_left_alone(attack: Attack) -> Iterator[str]:
    view = attacker_view()
    seen = {"benign": view.benign, "own": view.own(), "parameters": view.parameters, "root": view.root()}
    before = copies(seen.values())
    crafted(attack, view)
    for (name, tensor), old in zip(seen.items(), before, strict=True):
        if not are_equal([tensor], [old]):
            yield f"it edits `{name}` in place"


def equal_generators_give_equal_rows(attack: Attack) -> Iterator[str]:
    if not torch.equal(crafted(attack, attacker_view(seed=5)), crafted(attack, attacker_view(seed=5))):
        yield "the same view twice gives different rows; draw from view.rng"


ATTACK_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    it_says_what_it_needs_to_know,
    the_view_that_it_needs_is_enough,
    its_rows_are_finite_floats_one_for_each_client,
    a_root_update_of_zero_is_survived,
    allies_are_handled_and_left_alone,
    what_it_sees_is_left_alone,
    equal_generators_give_equal_rows,
)


def recalled(attack: RememberingAttack, memory: Memory, *, round: int = 0) -> tuple[Matrix, Memory]:
    """Return the rows that an attack submits in a round, and its memory for the next one."""
    view = attacker_view(round=round)
    return check_crafted(attack, attack.craft_from(view, memory), shape=(len(view.clients), len(view.parameters)))


def without_a_memory_it_crafts_as_with_an_empty_one(attack: RememberingAttack) -> Iterator[str]:
    if not torch.equal(crafted(attack, attacker_view()), recalled(attack, {})[0]):
        yield "craft(view) differs from the rows of craft_from(view, {})"


def its_memory_is_saved_and_left_alone(attack: RememberingAttack) -> Iterator[str]:
    memory = recalled(attack, {})[1]
    restored, names, before = load(save(dict(memory))), list(memory), copies(memory.values())
    rows = [recalled(attack, past, round=1)[0] for past in (memory, restored)]
    if list(memory) != names or not are_equal(memory.values(), before):
        yield "it edits its memory in place; return a new one"
    if not torch.equal(*rows):
        yield "after its memory was saved and loaded its rows differ"


def its_memory_is_kept_apart_from_what_it_sees(attack: RememberingAttack) -> Iterator[str]:
    view = attacker_view()
    memory = check_crafted(attack, attack.craft_from(view, {}), shape=(len(view.clients), len(view.parameters)))[1]
    before = copies(memory.values())
    for tensor in (view.benign, view.own(), view.parameters):
        tensor.fill_(nan)
    if not are_equal(memory.values(), before):
        yield "its memory changes with the updates or the model that it saw; keep a copy"


MEMORY_CHECKS: tuple[Check, ...] = (
    without_a_memory_it_crafts_as_with_an_empty_one,
    its_memory_is_saved_and_left_alone,
    its_memory_is_kept_apart_from_what_it_sees,
)
"""Checks of an attack that has a memory, in addition to those of all attacks."""
