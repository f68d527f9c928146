"""Products with a Hessian, and linear systems of it."""

import pytest
import torch

from sparring.training import conjugate_gradients, hessian_product
from tests.training.small_networks import ACTIVATIONS, LOSS, setting


def hessian(game) -> torch.Tensor:
    def summed(parameters):
        outputs = game.network.forward(game.network.split(parameters), game.validation.inputs)
        return LOSS.losses(outputs, game.validation).sum()

    return torch.autograd.functional.hessian(summed, game.parameters)


def positive(size: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    factor = torch.randn(size, size, generator=rng, dtype=torch.float64)
    return factor @ factor.T + torch.eye(size).double(), torch.randn(size, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_product_equals_that_with_the_whole_hessian(activation):
    game = setting(activation)
    direction = torch.sin(torch.arange(len(game.parameters)).double())
    product = hessian_product(game.network, game.parameters, batch=game.validation, direction=direction, objective=LOSS)
    torch.testing.assert_close(product, hessian(game) @ direction, rtol=1e-10, atol=1e-12)


def test_a_positive_system_is_solved():
    matrix, right = positive()
    solved = conjugate_gradients(matrix.mv, right, iterations=100, tolerance=1e-12)
    torch.testing.assert_close(solved.solution, torch.linalg.solve(matrix, right), rtol=1e-9, atol=1e-9)
    assert solved.residual <= 1e-12
    assert not solved.negative_curvature


def test_damping_adds_to_the_diagonal():
    matrix, right = positive()
    damped = conjugate_gradients(matrix.mv, right, damping=3.0, iterations=100, tolerance=1e-12)
    exact = torch.linalg.solve(matrix + 3 * torch.eye(12).double(), right)
    torch.testing.assert_close(damped.solution, exact, rtol=1e-9, atol=1e-9)


def test_what_is_left_unsolved_is_stated():
    matrix, right = positive()
    few = conjugate_gradients(matrix.mv, right, iterations=3)
    assert few.products == 3
    assert few.residual == pytest.approx((right - matrix @ few.solution).norm().item() / right.norm().item())
    assert few.residual > 1e-3


def test_negative_curvature_is_flagged_and_damping_removes_it():
    matrix = torch.diag(torch.tensor([3.0, 2.0, -1.0]))
    right = torch.tensor([1.0, 1.0, 1.0])
    met = conjugate_gradients(matrix.mv, right)
    assert met.negative_curvature
    assert met.products >= 2
    assert torch.isfinite(met.solution).all()
    damped = conjugate_gradients(matrix.mv, right, damping=2.0)
    assert not damped.negative_curvature
    torch.testing.assert_close(damped.solution, torch.tensor([0.2, 0.25, 1.0]))


def test_negative_curvature_at_once_returns_the_right_side():
    right = torch.tensor([1.0, 2.0])
    met = conjugate_gradients(lambda vector: -vector, right)
    assert met.negative_curvature
    assert met.solution.equal(right)


def test_a_right_side_of_zeros_is_solved_by_zeros():
    solved = conjugate_gradients(lambda vector: vector, torch.zeros(3))
    assert solved == (solved.solution, 0.0, 0, False)
    assert not solved.solution.any()
