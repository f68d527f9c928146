"""Trainings with every baseline on either side: they run, and resume from any round to the same bytes."""

import pytest
import torch
from safetensors.torch import load, save

from sparring.attacks import PERTURBATIONS, DeepConfuse, EvoShift, NoPerturbation
from sparring.contracts import MinibatchRecipe
from sparring.defenses import (
    CropEnsemble,
    CutMix,
    Dropout,
    GenerativeDenoising,
    PurificationChain,
    Unchanged,
    ValidationTraining,
)
from sparring.games.recursive import CENTRAL_CODEC, CentralTraining, simulate_central
from sparring.generation import CVAE, GAN, VAE
from tests.minibatches import digits, examples, fitted

QUICK = {"deep_confuse": DeepConfuse(trials=1, steps=2), "evo_shift": EvoShift(population=4)}
NAMES = ("cw", "deep_confuse", "error_minimizing", "evo_shift", "fgsm_pgd", "noise", "yopo")
ATTACKS = [QUICK.get(name) or PERTURBATIONS[name]() for name in NAMES]
DEFENSES = [
    CutMix(probability=1, validation=3),
    CropEnsemble(crops=2),
    Dropout(),
    ValidationTraining(),
    GenerativeDenoising(CVAE(epochs=1)),
    GenerativeDenoising(GAN(epochs=1, starts=2, steps=2)),
    PurificationChain(GenerativeDenoising(VAE(epochs=1)), PurificationChain(CutMix(), Dropout())),
]
PAIRS = [*((attack, Unchanged()) for attack in ATTACKS), *((NoPerturbation(), defense) for defense in DEFENSES)]


@pytest.mark.parametrize(("attack", "defense"), PAIRS, ids=repr)
def test_a_training_resumes_to_the_same_bytes(attack, defense):
    made = CentralTraining(
        network=fitted(),
        train=examples(0, 45),
        validation=examples(900, 30),
        test=digits().test,
        recipe=MinibatchRecipe(epochs=2, batch=20, optimizer="adam", lr=0.01),
        attack=attack,
        defense=defense,
    )
    states = [state for state, _ in simulate_central(made)]
    assert len(states) == 7
    assert torch.isfinite(states[-1].parameters).all()
    packed = CENTRAL_CODEC.pack(states[3])
    stored = packed._replace(tensors=load(save(packed.tensors)))
    *_, (last, _) = simulate_central(made, state=CENTRAL_CODEC.unpack(stored))
    assert torch.equal(last.parameters, states[-1].parameters)
    assert last.attack.keys() == states[-1].attack.keys()
    assert last.defense.keys() == states[-1].defense.keys()
