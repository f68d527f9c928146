"""A player that breaks its contract while it plays is named, whatever it breaks."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch

from sparring.arrays import Batch
from sparring.contracts import OmniscientView
from sparring.defenses import CenteredClipping, Mean
from sparring.errors import ConfigError, PluginError
from sparring.federation import Attacker, Scenario, Threat, initial_state, play_round, simulate_rounds
from sparring.training import Sequential
from tests.settings import clouds, small_federation

DATA = clouds()
FEDERATION = small_federation(backend=Sequential(), data=DATA, root=DATA.test)
NAN = float("nan")


def fail(*_: object) -> None:
    raise KeyError("gone", "away")


@dataclass(frozen=True)
class Mine:
    """Do whatever a test wants when the turn comes, as any kind of player."""

    play: Any = fail
    needs: ClassVar[Any] = OmniscientView
    family: ClassVar[str] = "coordinate"

    def limit(self, clients):
        return clients

    def craft(self, view):
        return self.play(view)

    def poison(self, batch, *, client, rng):
        return self.play(batch)

    def aggregate(self, view, memory):
        return self.play(view, memory)


def blame(*attackers, defense=None, rounds=1):
    """Return what is said of a player after some rounds."""
    scenario = Scenario(FEDERATION, defense or Mean(), attackers, Threat(assumed_malicious=0.0))
    with pytest.raises(PluginError) as raised:
        list(simulate_rounds(scenario, rounds))
    return raised.value


def rows(view):
    return torch.zeros(len(view.clients), len(view.parameters))


def edited(tensor, answer):
    """Return the answer after an edit of a part of the tensor."""
    tensor[:1].mul_(2)
    return answer


ATTACKS = [
    (fail, "raised KeyError: ('gone', 'away')"),
    (lambda view: None, "returned NoneType; it must return shape ["),
    (lambda view: rows(view).numpy(), "returned ndarray; it must return shape ["),
    (lambda view: rows(view)[:, 1:], "returned shape ["),
    (
        lambda view: edited(view.parameters, rows(view)),
        "edited parameters in place; it must leave description shown alone",
    ),
    (lambda view: edited(view.benign, rows(view)), "edited benign in place"),
    (lambda view: edited(view.root(), rows(view)), "edited root in place"),
    (lambda view: edited(view.own(), view.own()), "edited own in place"),
    (lambda view: edited(view.network.split(view.parameters)[0], rows(view)), "edited parameters in place"),
]


@pytest.mark.parametrize(("mine", "message"), ATTACKS, ids=[message for _, message in ATTACKS])
def test_an_attack_is_blamed_by_name(mine, message):
    assert str(blame(Attacker(6, Mine(mine)))).startswith(f"attack Mine {message}")


RULES = [
    (fail, "raised KeyError: ('gone', 'away')"),
    (lambda view, memory: None, "returned NoneType; it must return a step and its memory"),
    (
        lambda view, memory: view.updates[0].clone(),
        "returned shape [15], torch.float32; it must return a step and its memory",
    ),
    (lambda view, memory: (None, memory), "returned a step of NoneType; it must be torch.float32 of shape [15]"),
    (lambda view, memory: (view.updates[0, 1:], memory), "returned a step of shape [14], torch.float32; it must be"),
    (
        lambda view, memory: (view.updates[0].double(), memory),
        "returned a step of shape [15], torch.float64; it must be",
    ),
    (lambda view, memory: (view.updates[0] * NAN, memory), "returned a step that is not finite"),
    (
        lambda view, memory: (view.updates[0].clone(), None),
        "returned a memory of NoneType; it must map names to tensors",
    ),
    (
        lambda view, memory: (view.updates[0].clone(), {"age": 3}),
        "remembers 'age' as int; it must map names to tensors",
    ),
    (
        lambda view, memory: (view.updates[0].clone(), {"last": view.updates[0] * NAN}),
        "remembers 'last', which is not finite; it must remember finite values",
    ),
    (lambda view, memory: (edited(view.updates, view.updates[0].clone()), memory), "edited updates in place"),
    (lambda view, memory: (edited(view.parameters, view.updates[0].clone()), memory), "edited parameters in place"),
    (lambda view, memory: view.note("selected", [99]), "raised IndexError"),
]


@pytest.mark.parametrize(("mine", "message"), RULES, ids=[message for _, message in RULES])
def test_a_rule_is_blamed_by_name(mine, message):
    assert str(blame(defense=Mine(mine))).startswith(f"defense Mine {message}")


def test_a_rule_that_edits_its_memory_is_blamed_in_the_next_round():
    def mine(view, memory):
        total = memory.get("total", torch.zeros_like(view.parameters))
        return view.updates[0].clone(), {"total": total.add_(1)}

    assert str(blame(defense=Mine(mine), rounds=2)).startswith("defense Mine edited its memory 'total' in place")


def test_an_attack_that_edits_the_rule_s_memory_is_blamed():
    def mine(view):
        return edited(view.memory["center"], rows(view)) if view.memory else rows(view)

    message = str(blame(Attacker(6, Mine(mine)), defense=CenteredClipping(), rounds=2))
    assert message.startswith("attack Mine edited the rule's memory 'center' in place")


POISONS = [
    (fail, "raised KeyError: ('gone', 'away')"),
    (lambda batch: None, "returned NoneType; it must return a Batch"),
    (lambda batch: Batch(batch.inputs, None), "returned labels of NoneType; it must keep shape [5], torch.int64"),
    (
        lambda batch: Batch(batch.inputs[1:], batch.labels),
        "returned inputs of shape [4, 4], torch.float32; it must keep",
    ),
    (
        lambda batch: Batch(batch.inputs, batch.labels.float()),
        "returned labels of shape [5], torch.float32; it must keep",
    ),
    (lambda batch: Batch(batch.inputs, batch.labels + 99), "raised IndexError: Target "),
    (lambda batch: edited(batch.labels, batch), "edited labels in place"),
    (lambda batch: edited(batch.inputs, batch), "edited inputs in place"),
]


@pytest.mark.parametrize(("mine", "message"), POISONS, ids=[message for _, message in POISONS])
def test_a_poison_is_blamed_by_name(mine, message):
    assert str(blame(Attacker(6, poison=Mine(mine)))).startswith(f"poison Mine {message}")


def test_the_poison_is_blamed_even_where_an_attack_asks_for_its_updates():
    asking = Attacker(6, Mine(lambda view: view.own()), Mine(fail))
    assert str(blame(asking)).startswith("poison Mine raised KeyError")


def test_the_cause_is_kept():
    assert isinstance(blame(defense=Mine(fail)).__cause__, KeyError)


def test_an_error_of_ours_and_a_full_memory_pass_as_they_are():
    for error in (ConfigError("mine: size is 0; use size >= 1"), MemoryError(), torch.OutOfMemoryError()):

        def mine(view, memory, error=error):
            raise error

        with pytest.raises(type(error)) as raised:
            play_round(Scenario(FEDERATION, Mine(mine)), initial_state(FEDERATION))
        assert raised.value is error


def test_a_player_is_blamed_for_what_it_says_of_itself():
    @dataclass(frozen=True)
    class Silent(Mine):
        needs: ClassVar[Any] = None

        def limit(self, clients):
            return None

    with pytest.raises(PluginError, match="attack Silent needs None; it must be a view to play from: BlackBoxView"):
        Scenario(FEDERATION, Mean(), [Attacker(1, Silent())])
    with pytest.raises(PluginError, match="defense Silent raised TypeError"):
        Scenario(FEDERATION, Silent())


def test_what_is_only_read_is_no_edit():
    def mine(view):
        sums = [view.root(), view.own().sum(dim=0), view.benign.sum(dim=0), view.parameters]
        return view.own() + torch.stack(sums).sum(dim=0)

    _, record = play_round(Scenario(FEDERATION, Mean(), [Attacker(6, Mine(mine))]), initial_state(FEDERATION))
    assert record.malicious
