"""The kit finds each way in which a server or an attack with a memory can be broken."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from sparring.defenses import NormBounding
from tests.conformance.players import SoundMemory, SoundServer
from tests.conformance.test_kit import CALLS, NAN, edited, found


@dataclass(frozen=True)
class Server(SoundServer):
    """A sound server but for what is done with its plan."""

    spoil: Any = field(default=None, compare=False)
    forgets: bool = False

    def plan(self, view, memory):
        return self.spoil(view, memory, *SoundServer().plan(view, memory))

    def deployed(self, memory):
        return None if self.forgets else SoundServer().deployed(memory)


@dataclass(frozen=True)
class Remembering(SoundMemory):
    """A sound attack with a memory but for what is done with its answer."""

    spoil: Any = field(default=None, compare=False)

    def craft(self, view):
        return SoundMemory().craft(view)

    def craft_from(self, view, memory):
        return self.spoil(view, memory, *SoundMemory().craft_from(view, memory))


PLAYED = "each round has a plan that can be played"
BROKEN = [
    (Server(lambda view, memory, plan, new: plan), PLAYED),
    (Server(lambda view, memory, plan, new: (plan.repair, new)), PLAYED),
    (Server(lambda view, memory, plan, new: (plan, {"x": view.root() * NAN})), PLAYED),
    (
        Server(lambda view, memory, plan, new: (plan, new), forgets=True),
        "the repair of a round is the one that is deployed",
    ),
    (
        Server(lambda view, memory, plan, new: (plan._replace(rule=NormBounding(1.0 + next(CALLS))), new)),
        "equal rounds have equal plans",
    ),
    (Server(lambda view, memory, plan, new: edited(view.parameters, (plan, new))), "what a server sees is left alone"),
    (Server(lambda view, memory, plan, new: (plan, {"rounds": [1]})), "a run resumes from a saved plan"),
    (Remembering(lambda view, memory, rows, new: (rows + 1, new)), "without a memory it crafts as with an empty one"),
    (
        Remembering(lambda view, memory, rows, new: edited(memory.get("rounds", rows)[None], (rows, new))),
        "its memory is saved and left alone",
    ),
    (Remembering(lambda view, memory, rows, new: (rows, {"rounds": 3})), "its memory is saved and left alone"),
    (
        Remembering(lambda view, memory, rows, new: (rows, {"rounds": view.parameters[:1]})),
        "its memory is kept apart from what it sees",
    ),
]


@pytest.mark.parametrize(("subject", "check"), BROKEN, ids=[check for _, check in BROKEN])
def test_what_is_broken_is_found(subject, check):
    assert check in found(subject)
