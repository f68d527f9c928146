"""The loss of each example, by hand, and the gradient of their sum."""

import pytest
import torch

from sparring.arrays import Batch
from sparring.errors import ConfigError
from sparring.models import Mlp, network
from sparring.random import stream
from sparring.training import (
    Conversion,
    CrossEntropy,
    Evasion,
    Hinge,
    SquaredError,
    gradient,
    summed_gradient,
)
from tests.settings import Facts

NETWORK = network(Mlp(hidden=6), Facts(shape=(5,), classes=3))
PARAMETERS = NETWORK.initial(stream(0, "model"))
LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 1.0]])
LABELS = torch.tensor([0, 2, 1])


def examples(count: int) -> Batch:
    rng = torch.Generator().manual_seed(1)
    return Batch(torch.rand(count, 5, generator=rng), torch.randint(3, (count,), generator=rng))


def test_one_hot_labels_give_the_cross_entropy_of_whole_numbers():
    hard = CrossEntropy().losses(LOGITS, Batch(LOGITS, LABELS))
    torch.testing.assert_close(hard, -LOGITS.log_softmax(1)[range(3), LABELS])
    soft = CrossEntropy().losses(LOGITS, Batch(LOGITS, torch.eye(3)[LABELS]))
    torch.testing.assert_close(soft, hard)


def test_mixed_labels_mix_the_losses():
    one, other = (CrossEntropy().losses(LOGITS, Batch(LOGITS, labels)) for labels in (LABELS, LABELS.flip(0)))
    mixed = 0.3 * torch.eye(3)[LABELS] + 0.7 * torch.eye(3)[LABELS.flip(0)]
    torch.testing.assert_close(CrossEntropy().losses(LOGITS, Batch(LOGITS, mixed)), 0.3 * one + 0.7 * other)


def test_a_fixed_target_ignores_the_input_and_a_moving_one_follows_it():
    inputs = torch.tensor([[0.5], [2.0]], requires_grad=True)
    batch = Batch(inputs, torch.tensor([1.0, 4.0]))
    fixed = SquaredError().losses(3 * inputs, batch)
    moving = SquaredError(lambda x: 2 * x).losses(3 * inputs, batch)
    assert fixed.tolist() == [0.25, 4.0]
    assert moving.tolist() == [0.25, 4.0]
    (slope,) = torch.autograd.grad(fixed.sum(), inputs, retain_graph=True)
    assert slope.flatten().tolist() == [3.0, 12.0]
    (slope,) = torch.autograd.grad(moving.sum(), inputs)
    assert slope.flatten().tolist() == [1.0, 4.0]


def test_a_hinge_is_zero_once_the_label_leads_by_the_margin():
    assert Hinge().losses(LOGITS, Batch(LOGITS, LABELS)).tolist() == [0.0, 3.0, 1.0]
    assert Hinge(margin=0).losses(LOGITS, Batch(LOGITS, LABELS)).tolist() == [0.0, 2.0, 0.0]


def test_conversion_counts_the_examples_of_other_classes_and_evasion_those_of_the_target():
    chances = LOGITS.log_softmax(1)
    converted = Conversion(2).losses(LOGITS, Batch(LOGITS, LABELS))
    torch.testing.assert_close(converted, torch.stack([chances[0, 2], torch.tensor(0.0), chances[2, 2]]))
    evaded = Evasion(2).losses(LOGITS, Batch(LOGITS, LABELS))
    torch.testing.assert_close(evaded, torch.stack([torch.tensor(0.0), -chances[1, 2], torch.tensor(0.0)]))


@pytest.mark.parametrize("wrong", [lambda: Hinge(-1), lambda: Conversion(-1), lambda: Evasion(-2)])
def test_a_setting_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match="use .* >= 0"):
        wrong()


def test_the_summed_gradient_is_that_of_the_mean_times_the_examples():
    batch = examples(7)
    summed = summed_gradient(NETWORK, PARAMETERS, batch=batch, objective=CrossEntropy())
    torch.testing.assert_close(summed, 7 * gradient(NETWORK, PARAMETERS, batch=batch))


def test_the_summed_gradient_adds_up_over_chunks():
    batch, ours = examples(1203), CrossEntropy()
    parts = [
        summed_gradient(NETWORK, PARAMETERS, batch=Batch(*(part[rows] for part in batch)), objective=ours)
        for rows in (slice(0, 600), slice(600, None))
    ]
    torch.testing.assert_close(
        summed_gradient(NETWORK, PARAMETERS, batch=batch, objective=ours), sum(parts), rtol=1e-4, atol=1e-3
    )
