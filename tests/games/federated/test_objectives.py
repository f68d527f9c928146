import pytest
import torch

from sparring.arrays import Batch
from sparring.conformance.adversary import logistic
from sparring.contracts import Model
from sparring.games.federated import (
    BackdoorAccuracyObjective,
    BackdoorObjective,
    DefenderObjective,
    ErrorObjective,
    MixedObjective,
    SurrogateBackdoorObjective,
    UntargetedObjective,
)
from sparring.training import loss

NETWORK = logistic()
GENERATOR = torch.Generator().manual_seed(0)
PARAMETERS = torch.randn(NETWORK.size, generator=GENERATOR)
MODEL = Model(NETWORK, PARAMETERS)
CLEAN = Batch(torch.rand(8, 3, generator=GENERATOR), torch.arange(8) % 3)
TRIGGERED = Batch(torch.rand(5, 3, generator=GENERATOR), torch.full((5,), 2))


def lost(batch):
    return loss(NETWORK, PARAMETERS, batch=batch).item()


@pytest.mark.parametrize(
    ("objective", "worth"),
    [
        (UntargetedObjective(CLEAN), lost(CLEAN)),
        (DefenderObjective(CLEAN), -lost(CLEAN)),
        (BackdoorObjective(TRIGGERED, CLEAN, weight=0.25), -(0.25 * lost(TRIGGERED) + 0.75 * lost(CLEAN))),
        (MixedObjective(TRIGGERED, CLEAN), lost(CLEAN) - lost(TRIGGERED)),
        (
            SurrogateBackdoorObjective(TRIGGERED, CLEAN),
            lost(CLEAN) - min(lost(Batch(TRIGGERED.inputs, torch.full((5,), label))) for label in range(3)),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_worth_of_a_model_is_as_its_formula_says(objective, worth):
    assert objective.value(MODEL) == pytest.approx(worth, abs=1e-5)


def test_the_error_is_the_share_of_examples_that_are_classified_wrongly():
    wrong = (MODEL(CLEAN.inputs).argmax(dim=1) != CLEAN.labels).double().mean().item()
    assert ErrorObjective(CLEAN).value(MODEL) == pytest.approx(wrong)
    assert 0 < wrong < 1


def test_a_backdoor_is_worth_the_weighted_accuracies():
    implanted, kept = ((MODEL(batch.inputs).argmax(dim=1) == batch.labels) for batch in (TRIGGERED, CLEAN))
    worth = 0.25 * implanted.double().mean().item() + 0.75 * kept.double().mean().item()
    assert BackdoorAccuracyObjective(TRIGGERED, CLEAN, weight=0.25).value(MODEL) == pytest.approx(worth)
    assert 0 < worth < 1


@pytest.mark.parametrize("kind", [UntargetedObjective, DefenderObjective])
def test_a_loss_above_the_ceiling_counts_as_the_ceiling(kind):
    far = Model(NETWORK, PARAMETERS * 1e6)
    assert abs(kind(CLEAN, ceiling=9.0).value(far)) == 9


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize(
    "objective",
    [
        UntargetedObjective(CLEAN),
        DefenderObjective(CLEAN),
        ErrorObjective(CLEAN),
        BackdoorAccuracyObjective(TRIGGERED, CLEAN),
        BackdoorObjective(TRIGGERED, CLEAN),
        MixedObjective(TRIGGERED, CLEAN),
        SurrogateBackdoorObjective(TRIGGERED, CLEAN),
    ],
    ids=lambda objective: type(objective).__name__,
)
def test_a_model_that_has_diverged_has_a_finite_worth(objective, value):
    worth = objective.value(Model(NETWORK, torch.full((NETWORK.size,), value)))
    assert abs(worth) <= 1e6
