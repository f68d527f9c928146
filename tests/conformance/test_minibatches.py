"""The kit finds each way in which a player of minibatch training can be broken."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from sparring.attacks import PERTURBATIONS
from sparring.conformance import conformance
from sparring.contracts import Purified
from sparring.defenses import PURIFICATIONS
from sparring.registry import lookup
from tests.conformance.players import SoundPerturbation, SoundPurification

CALLS = iter(range(10**6))


@dataclass(frozen=True)
class BrokenPerturbation(SoundPerturbation):
    spoil: Any = field(default=None, compare=False)

    def perturb(self, view, memory):
        return self.spoil(view, memory)


@dataclass(frozen=True)
class BrokenPurification(SoundPurification):
    spoil: Any = field(default=None, compare=False)

    def purify(self, view, memory):
        return self.spoil(view, memory)


def scribble(view, memory):
    view.batch.inputs.clamp_(0.2, 0.3)
    return view.batch.inputs, memory


def rewrite(view, memory):
    memory["shift"].zero_()
    return view.batch.inputs, memory


ATTACKS = {
    "perturbed inputs can be trained on": [
        lambda view, memory: (view.batch.inputs[:1, :2], memory),
        lambda view, memory: (view.batch.inputs + 2, memory),
        lambda view, memory: (view.batch.inputs * float("nan"), memory),
        lambda view, memory: view.batch.inputs,
        lambda view, memory: (view.batch.inputs, {"history": [1]}),
    ],
    "its minibatch and memory are left alone": [scribble, rewrite],
    "equal rounds are perturbed equally": [
        lambda view, memory: (view.batch.inputs / (2 + next(CALLS)), memory),
    ],
}
DEFENSES = {
    "purified minibatches can be trained on": [
        lambda view, memory: (view.batch, memory),
        lambda view, memory: (Purified(view.batch._replace(labels=view.batch.labels[:-1])), memory),
        lambda view, memory: (Purified(view.batch._replace(inputs=view.batch.inputs - 2)), memory),
    ],
    "the minibatch and memory that it is given are left alone": [
        lambda view, memory: (Purified(view.batch._replace(inputs=scribble(view, memory)[0])), memory),
    ],
    "equal rounds are purified equally": [
        lambda view, memory: (Purified(view.batch._replace(inputs=view.batch.inputs / (2 + next(CALLS)))), memory),
    ],
}


def failing(subject):
    return {finding.check for finding in conformance(subject) if finding.failures}


@pytest.mark.parametrize(("check", "spoil"), [(check, spoil) for check, ways in ATTACKS.items() for spoil in ways])
def test_a_broken_attack_fails_the_check(check, spoil):
    assert check in failing(BrokenPerturbation(spoil))


@pytest.mark.parametrize(("check", "spoil"), [(check, spoil) for check, ways in DEFENSES.items() for spoil in ways])
def test_a_broken_defense_fails_the_check(check, spoil):
    assert check in failing(BrokenPurification(spoil))


PLAIN = ("none", "level_k", "optimal_contraction", "influence", "noise", "fgsm_pgd", "cw", "error_minimizing")


@pytest.mark.parametrize("name", PLAIN)
def test_the_attacks_of_the_catalogue_pass(name):
    assert failing(lookup("attack", PERTURBATIONS, name)()) == set()


@pytest.mark.parametrize("name", ["none", "level_k", "dropout", "validation_training"])
def test_the_defenses_of_the_catalogue_pass(name):
    assert failing(lookup("defense", PURIFICATIONS, name)()) == set()


def test_inputs_of_the_kit_lie_in_the_unit_interval():
    seen = []
    list(
        conformance(
            BrokenPerturbation(lambda view, memory: (seen.append(view.batch.inputs), (view.batch.inputs, memory))[1])
        )
    )
    assert all(0 <= inputs.min() <= inputs.max() <= 1 for inputs in seen)
    assert {len(inputs) for inputs in seen} == {1, 10}
    assert torch.unique(seen[0]).numel() > 10
