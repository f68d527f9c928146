import pytest
import torch

from sparring.errors import ConfigError
from sparring.inversion import aggregated_gradient


def test_it_is_what_the_model_lost_a_round_and_unit_of_the_learning_rate():
    previous, current = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 3.0])
    assert aggregated_gradient(previous, current, lr=0.5).tolist() == [2.0, -2.0]
    assert aggregated_gradient(previous, current, lr=0.5, rounds=4).tolist() == [0.5, -0.5]


def test_the_models_are_left_alone():
    previous, current = torch.ones(2), torch.zeros(2)
    aggregated_gradient(previous, current, lr=0.1)
    assert (previous.tolist(), current.tolist()) == ([1, 1], [0, 0])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lr": 0.0}, "aggregated gradient: lr is 0.0; it must be positive and finite"),
        ({"lr": float("nan")}, "aggregated gradient: lr is nan"),
        ({"rounds": 0}, "aggregated gradient: rounds is 0; it must be at least 1"),
        ({"current": torch.zeros(3)}, r"models have shapes \[2\] and \[3\]; give two of the same network"),
    ],
)
def test_what_gives_no_gradient_is_refused(changed, message):
    given = {"current": torch.zeros(2), "lr": 0.1} | changed
    with pytest.raises(ConfigError, match=message):
        aggregated_gradient(torch.ones(2), given.pop("current"), **given)
