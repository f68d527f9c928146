"""The kit passes what is sound, and finds each way to be broken."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from sparring.conformance import CHECKS, conformance, failures
from sparring.conformance.check import format_check_name
from sparring.contracts import Model as Made
from sparring.data import Iid, Partition
from sparring.errors import ConfigError, PluginError
from sparring.kinds import KINDS, kind_of
from sparring.random import stream
from tests.conformance.players import (
    SOUND,
    SoundAttack,
    SoundBackdoor,
    SoundModel,
    SoundPartition,
    SoundPoison,
    SoundRepair,
    SoundRule,
    SoundSource,
    SoundTrigger,
)

NAN = float("nan")
CALLS = iter(range(10**6))
"""What a player that is not a function of its arguments depends on."""


def found(subject):
    """Return the failures of each check that fails."""
    return {finding.check: finding.failures for finding in conformance(subject) if finding.failures}


@pytest.mark.parametrize("subject", SOUND, ids=repr)
def test_what_is_sound_passes(subject):
    assert found(subject) == {}


def test_there_is_something_sound_of_every_kind():
    assert {kind_of(type(subject)) for subject in SOUND} == KINDS.keys()
    verbs = [verb for kind in KINDS.values() for verb in kind.verbs]
    assert verbs == list(CHECKS) == [verb for verb in CHECKS if any(hasattr(each, verb) for each in SOUND)]


@pytest.mark.parametrize("verb", CHECKS)
def test_checks_are_told_apart_by_their_names(verb):
    names = [format_check_name(check) for check in CHECKS[verb]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("cls", [int, type("Both", (), {"craft": len, "aggregate": len})])
def test_a_class_of_no_kind_or_of_two_is_refused(cls):
    with pytest.raises(PluginError, match=f"{cls.__name__} has . of these methods; it must have one: craft, poison"):
        kind_of(cls)


@dataclass(frozen=True)
class Averaging:
    """The mean, of rows that the contract promises: at least one, every value finite."""

    family: ClassVar[str] = "coordinate"

    def limit(self, clients):
        return clients - 1

    def aggregate(self, view, memory):
        assert len(view.updates) > 0
        assert view.updates.isfinite().all()
        return view.updates.double().mean(dim=0).float(), memory


@dataclass(frozen=True)
class Trimming(Averaging):
    """The trimmed mean, of as many rows as are left when the count is more than it can take."""

    def limit(self, clients):
        return (clients - 1) // 2

    def aggregate(self, view, memory):
        trim = min(view.malicious, self.limit(len(view.updates)))
        ordered = view.updates.double().sort(dim=0).values
        return ordered[trim : len(ordered) - trim].mean(dim=0).float(), memory


@pytest.mark.parametrize("rule", [Averaging(), Trimming()], ids=repr)
def test_a_rule_that_is_written_to_the_contract_passes(rule):
    assert found(rule) == {}


def raising(*_):
    raise ValueError("not today\nnor tomorrow")


def test_what_a_subject_raises_is_a_failure():
    rule = Rule(raising)
    everywhere = found(rule)["every round has a finite answer"]
    place = r"\(.*test_kit\.py:\d+\)"
    (first,), (second,) = everywhere, found(rule)["agreement is kept"]
    assert re.fullmatch(rf"a row of 1e8, 0 assumed malicious: it raised ValueError: not today {place}", first)
    assert re.fullmatch(rf"it raised ValueError: not today {place}", second)


def test_a_refusal_of_its_own_is_a_failure_in_its_own_words():
    def refuse(subject):
        raise ConfigError("mine: size is 0; use size >= 1")
        yield

    assert failures(refuse, None) == ("mine: size is 0; use size >= 1",)


@dataclass(frozen=True)
class Rule(SoundRule):
    """A sound rule but for what is done with its answer."""

    spoil: Any = field(default=None, compare=False)

    def aggregate(self, view, memory):
        return self.spoil(view, memory, *SoundRule().aggregate(view, memory))


@dataclass(frozen=True)
class Attack(SoundAttack):
    spoil: Any = field(default=None, compare=False)

    def craft(self, view):
        return self.spoil(view, SoundAttack().craft(view))


@dataclass(frozen=True)
class Poison(SoundPoison):
    spoil: Any = field(default=None, compare=False)

    def poison(self, batch, *, client, rng):
        return self.spoil(batch, SoundPoison().poison(batch, client=client, rng=rng))


@dataclass(frozen=True)
class Trigger(SoundTrigger):
    spoil: Any = field(default=None, compare=False)

    def stamp(self, images):
        return self.spoil(images, SoundTrigger().stamp(images))


@dataclass(frozen=True)
class Backdoor(SoundBackdoor):
    spoil: Any = field(default=None, compare=False)

    def triggered(self, batch):
        return self.spoil(batch, SoundBackdoor().triggered(batch))


@dataclass(frozen=True)
class Vague(SoundBackdoor):
    """Mean whatever there is, or nothing."""

    wide: bool = True

    def meant(self, labels):
        return torch.full_like(labels, self.wide, dtype=torch.bool)


@dataclass(frozen=True)
class Repair(SoundRepair):
    spoil: Any = field(default=None, compare=False)

    def repair(self, model, *, root, rng):
        return self.spoil(model, root, SoundRepair().repair(model, root=root, rng=rng))


@dataclass(frozen=True)
class Coy(SoundRepair):
    """Do not say what it needs."""

    needs_root: ClassVar[Any] = "perhaps"


@dataclass(frozen=True)
class Source(SoundSource):
    spoil: Any = field(default=None, compare=False)

    def load(self):
        return self.spoil(SoundSource().load())


@dataclass(frozen=True)
class Dealing(SoundPartition):
    spoil: Any = field(default=None, compare=False)

    def assign(self, labels, clients, rng):
        return self.spoil(labels, clients, SoundPartition().assign(labels, clients, rng=rng))


@dataclass(frozen=True)
class Model(SoundModel):
    spoil: Any = field(default=None, compare=False)

    def module(self, shape, classes):
        return self.spoil(SoundModel().module(shape, classes), classes)


def refused():
    raise ConfigError("mine: this will not do; use another")


def edited(tensor, answer):
    tensor[:1] += 1
    return answer


@dataclass(frozen=True)
class Growing(SoundRule):
    """Forget that a limit is a count of those that there are."""

    family: ClassVar[str] = "magic"

    def limit(self, clients):
        return 50 - clients


@dataclass(frozen=True)
class Lenient(SoundPartition):
    """Make do with as many clients as can be."""

    def assign(self, labels, clients, rng):
        return Iid().assign(labels, min(max(clients, 1), len(labels)), rng=rng)


@dataclass
class Loose:
    """Can be changed, cannot be written down, and has an option of a type that is not there."""

    sizes: "Nowhere" = field(default_factory=lambda: {1, 2})  # noqa: F821

    def poison(self, batch, *, client, rng):
        return batch


class Branching(nn.Module):
    """Look at the inputs before answering."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, inputs):
        return self.module(inputs if inputs.sum() > 0 else -inputs)


class Constant(nn.Module):
    """Answer zeros whatever the parameters."""

    def __init__(self, module, classes):
        super().__init__()
        self.module, self.classes = module, classes

    def forward(self, inputs):
        return 0 * self.module(inputs).flatten(1)[:, :1].expand(-1, self.classes)


class Moody(nn.Module):
    """Answer otherwise each time."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, inputs):
        return self.module(inputs) + next(CALLS)


BROKEN = [
    (Loose(), "its settings are all that it is"),
    (Loose(), "its settings can be written down"),
    (Loose(), "an unknown option is refused"),
    (Growing(), "its family is a known one"),
    (Growing(), "its limit is a count that grows with the clients"),
    (Rule(lambda view, memory, step, new: (step + 1, new)), "agreement is kept"),
    (Rule(lambda view, memory, step, new: (step + 1, new)), "updates of zero move nothing"),
    (
        Rule(lambda view, memory, step, new: (view.updates[:1].sum(dim=0).nan_to_num(), new)),
        "the order in which clients arrive is irrelevant",
    ),
    (Rule(lambda view, memory, step, new: (view.updates.mean(dim=0), new)), "every round has a finite answer"),
    (Rule(lambda view, memory, step, new: None), "every round has a finite answer"),
    (Rule(lambda view, memory, step, new: (step, {"last": step * NAN})), "every round has a finite answer"),
    (
        Rule(lambda view, memory, step, new: view.note("selected", [99]) or (step, new)),
        "every round has a finite answer",
    ),
    (Rule(lambda view, memory, step, new: edited(view.updates, (step, new))), "its input is left alone"),
    (Rule(lambda view, memory, step, new: edited(view.parameters, (step, new))), "its input is left alone"),
    (Rule(lambda view, memory, step, new: edited(memory.get("last", step), (step, new))), "its input is left alone"),
    (
        Rule(lambda view, memory, step, new: (step, {"last": view.updates[:1]})),
        "what it returns shares no memory with its input",
    ),
    (Rule(lambda view, memory, step, new: (step, {"last": step})), "its memory is kept apart from its step"),
    (Rule(lambda view, memory, step, new: (step, {"last": step.tolist()})), "a run resumes from saved memory"),
    (Rule(lambda view, memory, step, new: (step + next(CALLS), new)), "equal rounds have equal answers"),
    (Attack(lambda view, rows: rows[:, 1:]), "its rows are finite floats one for each client"),
    (Attack(lambda view, rows: None), "its rows are finite floats one for each client"),
    (Attack(lambda view, rows: rows.double()), "its rows are finite floats one for each client"),
    (Attack(lambda view, rows: rows * NAN), "its rows are finite floats one for each client"),
    (Attack(lambda view, rows: view.benign.mean(dim=0) + rows), "the view that it needs is enough"),
    (Attack(lambda view, rows: rows / view.root().norm()), "a root update of zero is survived"),
    (Attack(lambda view, rows: edited(view.own(), rows)), "what it sees is left alone"),
    (Attack(lambda view, rows: edited(view.benign.numpy(), rows)), "what it sees is left alone"),
    (Attack(lambda view, rows: rows + next(CALLS)), "equal generators give equal rows"),
    (Poison(lambda batch, made: made._replace(inputs=made.inputs[1:])), "the batch keeps its form"),
    (Poison(lambda batch, made: made._replace(inputs=made.inputs * NAN)), "the batch keeps its form"),
    (Poison(lambda batch, made: made._replace(labels=made.labels + 1)), "labels stay in range"),
    (Poison(lambda batch, made: edited(batch.inputs, made)), "the batch that it is given is left alone"),
    (
        Poison(lambda batch, made: made._replace(inputs=made.inputs + next(CALLS))),
        "equal generators give equal batches",
    ),
    (Attack(lambda view, rows: edited(view.allied, rows)), "allies are handled and left alone"),
    (Attack(lambda view, rows: rows + view.allied.sum()), "allies are handled and left alone"),
    (Trigger(lambda images, made: refused()), "it takes gray or color images"),
    (Trigger(lambda images, made: made[1:]), "images keep their form and their range"),
    (Trigger(lambda images, made: made + 1), "images keep their form and their range"),
    (Trigger(lambda images, made: edited(images, made)), "the images that it is given are left alone"),
    (Trigger(lambda images, made: made / len(made)), "each image is stamped the same alone and again"),
    (
        Backdoor(lambda batch, made: made._replace(labels=batch.labels)),
        "triggered images are labeled with the target",
    ),
    (
        Backdoor(lambda batch, made: made._replace(inputs=made.inputs - 1)),
        "triggered images have their pixels in range",
    ),
    (Vague(), "it is meant for some class and never for the target"),
    (Vague(wide=False), "it is meant for some class and never for the target"),
    (Backdoor(lambda batch, made: edited(batch.inputs, made)), "the images that get a trigger are left alone"),
    (Backdoor(lambda batch, made: made._replace(labels=made.labels + 99)), "labels stay in range"),
    (Repair(lambda model, root, made: refused()), "it takes a small model"),
    (Repair(lambda model, root, made: made.parameters), "it takes a small model"),
    (Coy(), "it says whether it needs root data"),
    (Repair(lambda model, root, made: root.labels is None or made), "it says whether it needs root data"),
    (
        Repair(lambda model, root, made: Made(made.network, made.parameters * NAN)),
        "the logits are finite and one a class",
    ),
    (Repair(lambda model, root, made: edited(model.parameters, made)), "the model that it is given is left alone"),
    (Repair(lambda model, root, made: edited(root.inputs, made)), "the model that it is given is left alone"),
    (
        Repair(lambda model, root, made: Made(made.network, made.parameters * (1 + next(CALLS)))),
        "equal generators give equal models",
    ),
    (Source(lambda dataset: dataset.train), "it loads a data set"),
    (
        Source(lambda dataset: edited(dataset.train.inputs, dataset) if next(CALLS) % 2 else dataset),
        "loading twice gives the same examples",
    ),
    (
        Dealing(lambda labels, clients, made: Partition(made.order[1:], made.offsets)),
        "every example has one owner and every client an example",
    ),
    (
        Dealing(lambda labels, clients, made: Iid().assign(labels, 3, rng=stream(0))),
        "every example has one owner and every client an example",
    ),
    (
        Dealing(lambda labels, clients, made: Partition(made.order.roll(next(CALLS)), made.offsets)),
        "it depends on its generator alone",
    ),
    (Dealing(lambda labels, clients, made: edited(labels, made)), "the labels are left alone"),
    (Lenient(), "counts that cannot be are refused"),
    (Model(spoil=lambda module, classes: nn.Linear(999, classes)), "it takes images series or feature vectors"),
    (Model(spoil=lambda module, classes: Moody(module)), "its logits are finite and the same each time"),
    (Model(spoil=lambda module, classes: Constant(nn.Flatten(), classes)), "its layers tile the parameter vector"),
    (Model(spoil=lambda module, classes: Constant(nn.LayerNorm(6), classes)), "it starts as its generator says"),
    (Model(spoil=lambda module, classes: Constant(module, classes)), "every layer has a gradient"),
    (Model(spoil=lambda module, classes: Branching(module)), "it is differentiated for many clients at once"),
    (
        Model(spoil=lambda module, classes: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(6))),
        "it takes images series or feature vectors",
    ),
]


@pytest.mark.parametrize(("subject", "check"), BROKEN, ids=[check for _, check in BROKEN])
def test_what_is_broken_is_found(subject, check):
    assert check in found(subject)


def test_a_player_that_spoils_what_it_sees_spoils_no_check_of_another():
    for subject, _ in BROKEN:
        found(subject)
    for subject in SOUND:
        assert found(subject) == {}
