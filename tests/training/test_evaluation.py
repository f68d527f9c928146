"""Evaluation by hand."""

import math

import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.models import network
from sparring.training import evaluate
from sparring.training.evaluation import CHUNK
from tests.settings import Facts

NETWORK = network(nn.Linear(3, 3, bias=False), Facts(shape=(3,), classes=3, mean=(0.0,), std=(1.0,)))
IDENTITY = torch.eye(3).flatten()


def test_loss_accuracy_and_class_accuracy_by_hand():
    inputs = torch.eye(3)[[0, 0, 1, 1]]
    found = evaluate(NETWORK, IDENTITY, on=Batch(inputs, torch.tensor([0, 0, 1, 2])))
    right, wrong = math.log(math.e + 2) - 1, math.log(math.e + 2)
    assert found.loss == pytest.approx((3 * right + wrong) / 4)
    assert found.accuracy == 0.75
    assert found.class_accuracy == (1.0, 1.0, 0.0)


def test_a_class_without_examples_has_no_accuracy():
    found = evaluate(NETWORK, IDENTITY, on=Batch(torch.eye(3)[[0]], torch.tensor([0])))
    assert found.class_accuracy[0] == 1.0
    assert math.isnan(found.class_accuracy[1])


def test_many_examples_are_evaluated_in_chunks():
    labels = torch.arange(2 * CHUNK + 7) % 3
    found = evaluate(NETWORK, IDENTITY, on=Batch(torch.eye(3)[labels], labels))
    assert found.accuracy == 1.0
    assert found.loss == pytest.approx(math.log(math.e + 2) - 1)


def test_bytes_are_scaled_to_pixels():
    inputs = torch.eye(3)[[0, 1]]
    asbytes = evaluate(NETWORK, IDENTITY, on=Batch((255 * inputs).byte(), torch.tensor([0, 1])))
    assert asbytes.loss == pytest.approx(evaluate(NETWORK, IDENTITY, on=Batch(inputs, torch.tensor([0, 1]))).loss)
