import pytest
import torch

from sparring.arrays import CELLS
from sparring.attacks.untargeted.perturbation import ray
from sparring.conformance.adversary import updates

BENIGN = torch.tensor([[1.0, -6.0], [5.0, -2.0]])
"""Mean (3, -4), deviation (2, 2)."""


@pytest.mark.parametrize(
    ("direction", "perturbation"), [("unit", [-0.6, 0.8]), ("sign", [-1.0, 1.0]), ("std", [-2.0, -2.0])]
)
def test_the_perturbations_are_the_published_ones(direction, perturbation):
    expected = torch.tensor(perturbation, dtype=torch.float64)
    torch.testing.assert_close(ray(BENIGN, direction).perturbation, expected)


@pytest.mark.parametrize("direction", ["unit", "sign"])
def test_a_mean_of_zero_has_no_direction(direction):
    assert ray(torch.tensor([[1.0], [-1.0]]), direction).square == 0


@pytest.mark.parametrize("direction", ["unit", "sign", "std"])
@pytest.mark.parametrize("step", [0.0, 0.7, 20.0])
def test_distances_along_the_ray_are_closed_in_the_step(direction, step):
    benign = updates(3, "rows", parameters=CELLS + 5)
    line = ray(benign, direction)
    closed = line.squares + 2 * step * line.slopes + step**2 * line.square
    measured = (line.mean + step * line.perturbation - benign.double()).square().sum(dim=1)
    torch.testing.assert_close(closed, measured)


def test_what_leaves_float32_becomes_its_largest_number():
    assert ray(BENIGN, "unit").at(1e39).tolist() == [torch.finfo().min, torch.finfo().max]
