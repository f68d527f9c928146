"""How a trained model withstands perturbed inputs at test time (R2T2, appendix A.2.7)."""

import torch

from sparring.arrays import Batch, in_chunks, pixels
from sparring.contracts import MinibatchView, Model, Objective, Perturbation
from sparring.random import Generator
from sparring.training.evaluation import CHUNK
from sparring.training.gradients import summed_gradient
from sparring.training.objectives import CrossEntropy

OBJECTIVE = CrossEntropy()


def measure_robust_accuracy(
    model: Model, attack: Perturbation, *, on: Batch, rng: Generator, objective: Objective = OBJECTIVE
) -> float:
    """Return the accuracy on examples that an attack perturbs knowing the model and the labels.

    The attack plays as on a minibatch of a training, without memory, with the attacked examples for validation;
    those that climb the loss, `fgsm_pgd`, `cw` and `yopo`, are attacks at test time.
    """
    tensors, right = model.network.split(model.parameters), 0
    for inputs, labels in zip(*(in_chunks(part, CHUNK) for part in on), strict=True):
        batch = Batch(pixels(inputs), labels)
        perturbed, _ = attack.perturb(_view(model, batch, objective=objective, rng=rng), {})
        with torch.no_grad():
            right += int((model.network.forward(tensors, perturbed).argmax(dim=1) == labels).sum())
    return right / len(on.labels)


def _view(model: Model, batch: Batch, *, objective: Objective, rng: Generator) -> MinibatchView:
    """Return the view of an attacker who knows the model; the learner takes no more steps."""
    return MinibatchView(
        round=0,
        network=model.network,
        parameters=model.parameters,
        objective=objective,
        batch=batch,
        examples=None,
        eta=0.0,
        validation=batch,
        validation_gradient=lambda: summed_gradient(model.network, model.parameters, batch=batch, objective=objective),
        rng=rng,
    )
