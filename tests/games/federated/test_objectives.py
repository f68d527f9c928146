import pytest
import torch

from sparring.arrays import Batch
from sparring.conformance.adversary import logistic
from sparring.contracts import Model
from sparring.errors import ConfigError
from sparring.games.federated import (
    BackdoorAccuracyObjective,
    BackdoorObjective,
    DefenderObjective,
    ErrorObjective,
    MixedObjective,
    RobustDefenderObjective,
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


def test_a_defender_who_sees_backdoors_loses_by_the_worst_of_them():
    harmless = Batch(CLEAN.inputs, MODEL(CLEAN.inputs).argmax(dim=1))
    assert lost(harmless) < lost(TRIGGERED)
    objective = RobustDefenderObjective([harmless, TRIGGERED], CLEAN, weight=0.25, ceiling=10.0)
    assert objective.value(MODEL) == pytest.approx(1 - (0.25 * lost(TRIGGERED) + 0.75 * lost(CLEAN)) / 10)


def test_a_defender_without_a_backdoor_to_prevent_loses_by_the_clean_examples():
    objective = RobustDefenderObjective([], CLEAN, weight=0.25, ceiling=10.0)
    assert objective.value(MODEL) == pytest.approx(1 - lost(CLEAN) / 10)


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e30, float("nan")])
def test_the_worth_to_a_defender_who_sees_backdoors_is_a_share(scale):
    value = RobustDefenderObjective([TRIGGERED], CLEAN, ceiling=0.5).value(Model(NETWORK, scale * PARAMETERS))
    assert 0 <= value <= 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weight": 1.5}, "weight is 1.5"),
        ({"ceiling": 0.0}, "ceiling is 0.0"),
    ],
)
def test_an_objective_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=f"^objective.{message}"):
        RobustDefenderObjective(**{"triggered": [TRIGGERED], "clean": CLEAN, **wrong})


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
