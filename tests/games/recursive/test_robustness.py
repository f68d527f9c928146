"""The accuracy of a model on inputs that are perturbed at test time."""

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import FgsmPgd, NoPerturbation, Yopo
from sparring.contracts import Model
from sparring.games.recursive import measure_robust_accuracy
from sparring.random import stream
from sparring.training import evaluate
from tests.minibatches import digits, examples, fitted, trained

TEST = Batch(digits().test.inputs[:200], digits().test.labels[:200])
MODEL = Model(fitted(), trained())


def robust(attack, on=TEST):
    return measure_robust_accuracy(MODEL, attack, on=on, rng=stream(0, "robust"))


def test_without_an_attack_it_is_the_accuracy():
    assert robust(NoPerturbation()) == pytest.approx(evaluate(MODEL.network, MODEL.parameters, on=TEST)[1])


@pytest.mark.parametrize("attack", [FgsmPgd, Yopo])
def test_more_is_lost_to_a_larger_perturbation(attack):
    found = [robust(attack(epsilon=epsilon, norm="linf")) for epsilon in (1e-4, 0.1, 0.3)]
    assert found[0] > found[1] > found[2]
    assert found[2] < 0.2


def test_inputs_and_model_stay_as_they_are():
    held = examples(0, 20)
    inputs, parameters = held.inputs.clone(), trained().clone()
    robust(FgsmPgd(epsilon=0.3, norm="linf"), on=held)
    assert torch.equal(held.inputs, inputs)
    assert torch.equal(trained(), parameters)
