"""Levels of reasoning against closed forms, the true utility, brute force and the convergence theorem."""

from dataclasses import replace
from itertools import product
from math import inf, pi

import pytest
import torch

from sparring.arrays import Batch
from sparring.training import (
    CrossEntropy,
    SquaredError,
    Utility,
    estimate_m,
    hessian_product,
    number_of_steps,
    step_size,
    summed_gradient,
)
from sparring.training.reasoning import Reasoning
from tests.training.small_networks import ACTIVATIONS, LOSS, Line, Setting, degrees, playing, setting

each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def line(theta: float, *, eta: float = 0.2) -> Utility:
    """Return the utility of appendix A.2.1, whose label moves with the input."""
    moving = SquaredError(lambda x: 20 * x)
    parameters, validation = torch.tensor([theta]).double(), Batch(torch.tensor([[50.0]]).double(), torch.zeros(1))
    gradient = summed_gradient(Line(), parameters, batch=validation, objective=moving)
    return Utility(Line(), parameters, moving, torch.zeros(1), eta, moving, validation, gradient)


@pytest.mark.parametrize("theta", [-10.0, 10.0, 19.0, 33.0])
@pytest.mark.parametrize("x", [0.01, 0.7, 1.5, 1.9])
def test_slopes_of_the_line_are_the_closed_forms(theta, x):
    utility, inputs = line(theta), torch.tensor([[x]]).double()
    first = -8 * 0.2 * (20 - theta) ** 2 * 50**2 * x
    assert utility.first(inputs).item() == pytest.approx(first)
    assert utility.second(inputs).item() == pytest.approx(first * (1 - 2 * 0.2 * x**2))


@pytest.mark.parametrize(
    ("x", "first", "second"), [(0.7, -2_520_000, -2_026_080), (1.9, -6_840_000, 3_036_960)], ids=["under", "over"]
)
def test_level_2_reverses_where_a_step_goes_beyond_the_optimum(x, first, second):
    inputs = torch.tensor([[x]]).double()
    assert line(-10.0).first(inputs).item() == pytest.approx(first)
    assert line(-10.0).second(inputs).item() == pytest.approx(second)


def test_the_utility_of_the_line_is_its_change_of_loss():
    before, after = ((-10 - 20) * 50) ** 2, ((-10 - 20) * (1 - 0.4 * 0.7**2) * 50) ** 2
    assert line(-10.0).value(torch.tensor([[0.7]]).double()) == pytest.approx(after - before)


def true_slope(game: Setting, eta: float) -> torch.Tensor:
    """Differentiate the validation loss after the step, without any of the code under test."""
    leaf, inputs = game.parameters.clone().requires_grad_(), game.batch.inputs.clone().requires_grad_()

    def summed(parameters, batch):
        return LOSS.losses(game.network.forward(game.network.split(parameters), batch.inputs), batch).sum()

    (slope,) = torch.autograd.grad(summed(leaf, Batch(inputs, game.batch.labels)), leaf, create_graph=True)
    return torch.autograd.grad(summed(leaf - eta * slope, game.validation), inputs)[0]


@each_activation
def test_a_smaller_step_makes_level_1_ten_times_and_level_2_a_hundred_times_more_exact(activation):
    game = setting(activation)
    errors = {}
    for eta in (1e-3, 1e-4):
        utility, true = game.utility(eta), true_slope(game, eta)
        for level, slope in (1, utility.first), (2, utility.second):
            errors[level, eta] = ((slope(game.batch.inputs) - true).norm() / true.norm()).item()
    assert 8 < errors[1, 1e-3] / errors[1, 1e-4] < 12.5
    assert 70 < errors[2, 1e-3] / errors[2, 1e-4] < 140


def test_the_signs_of_equation_b5_as_printed_are_wrong():
    game, eta = setting(), 1e-3
    utility, true = game.utility(eta), true_slope(game, eta)
    step = summed_gradient(game.network, game.parameters, batch=game.batch, objective=LOSS)
    bend = hessian_product(game.network, game.parameters, batch=game.validation, direction=step, objective=LOSS)
    printed = replace(utility, gradient=utility.gradient + eta * bend).first(game.batch.inputs)
    assert (printed - true).norm() > 50 * (utility.second(game.batch.inputs) - true).norm()
    assert (printed - true).norm() > (utility.first(game.batch.inputs) - true).norm()


@each_activation
def test_value_and_slope_agree(activation):
    game = setting(activation)
    utility, eta = game.utility(1e-3), 1e-3
    direction, step = true_slope(game, eta), 1e-5
    rise = utility.value(game.batch.inputs + step * direction) - utility.value(game.batch.inputs - step * direction)
    assert rise / (2 * step) == pytest.approx(direction.square().sum().item(), rel=1e-4)


def circle(epsilon: float, count: int = 7200) -> torch.Tensor:
    angles = torch.arange(count).double() * (2 * pi / count)
    return epsilon * torch.stack([angles.cos(), angles.sin()], dim=1)


def steps_at(game: Setting, inputs: torch.Tensor, *, eta: float) -> torch.Tensor:
    """Return the learner's step on each input alone, `[inputs, parameters]`."""

    def loss(parameters, x):
        outputs = game.network.forward(game.network.split(parameters), x[None])
        return LOSS.losses(outputs, Batch(x[None], game.batch.labels)).sum()

    return -eta * torch.func.vmap(torch.func.grad(loss), (None, 0))(game.parameters, inputs)


def whole_hessian(game: Setting, damping: float = 0.0) -> torch.Tensor:
    unit = torch.eye(len(game.parameters)).double()
    columns = [
        hessian_product(game.network, game.parameters, batch=game.validation, direction=row, objective=LOSS)
        for row in unit
    ]
    return torch.stack(columns) + damping * len(game.validation.labels) * unit


PLANE = {"features": 2, "hidden": 4, "examples": 1}


def test_level_2_is_the_best_perturbation_of_the_quadratic_utility_as_it_gets_small():
    game, eta = setting(**PLANE), 0.2
    utility, hessian = game.utility(eta), whole_hessian(game)
    angles = {}
    for epsilon in (0.1, 0.01, 0.001):
        around = circle(epsilon)
        moves = steps_at(game, game.batch.inputs + around, eta=eta)
        best = around[(moves @ utility.gradient + 0.5 * ((moves @ hessian) * moves).sum(dim=1)).argmax()]
        angles[epsilon] = degrees(best, utility.second(game.batch.inputs))
    assert angles[0.001] < 0.1
    assert angles[0.1] > 5 * angles[0.01] or angles[0.1] < 0.5
    assert degrees(utility.first(game.batch.inputs), utility.second(game.batch.inputs)) > 3


def test_optimal_contraction_is_furthest_from_the_quadratic_minimum_and_the_influence_function_is_not():
    game, eta, damping, epsilon = setting(**PLANE), 0.2, 1.0, 1e-3
    utility = game.utility(eta)
    newton = utility.newton_step(damping=damping, iterations=200)
    exact = torch.linalg.solve(whole_hessian(game, damping), utility.gradient)
    torch.testing.assert_close(newton.solution, exact, rtol=1e-4, atol=1e-5)
    around = circle(epsilon)
    distances = (steps_at(game, game.batch.inputs + around, eta=eta) + exact).norm(dim=1)
    best = around[distances.argmax()]
    contraction, influence = (
        utility.contraction(game.batch.inputs, newton.solution, with_step=with_step) for with_step in (True, False)
    )
    assert degrees(best, contraction) < 0.2
    assert degrees(best, influence) > 1


def test_the_step_term_of_optimal_contraction_is_half_the_gradient_of_the_squared_norm_for_one_example_only():
    for examples, holds in (1, True), (4, False):
        game = setting(examples=examples)
        utility, inputs = game.utility(1.0), game.batch.inputs
        nothing = torch.zeros_like(game.parameters)
        term = utility.contraction(inputs, nothing, with_step=True)  # ηB∇L(x)
        leaf = inputs.clone().requires_grad_()
        norms = sum(
            summed_leaf_gradient(game, leaf[row : row + 1], game.batch.labels[row : row + 1]).square().sum()
            for row in range(examples)
        )
        half = torch.autograd.grad(norms, leaf)[0] / 2
        assert torch.allclose(term, half, rtol=1e-9, atol=1e-9) == holds


def summed_leaf_gradient(game: Setting, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    parameters = game.parameters.clone().requires_grad_()
    outputs = game.network.forward(game.network.split(parameters), inputs)
    return torch.autograd.grad(LOSS.losses(outputs, Batch(inputs, labels)).sum(), parameters, create_graph=True)[0]


@pytest.mark.parametrize(
    ("smoothness", "epsilon", "gammas"),
    [(0.203, 3, (6.07, 1.216, 0.308)), (0.351, 2, (2.03, 0.375, 0.088)), (1.04, 4, (0.231, 0.011, 0.0007))],
    ids=["mnist", "cifar10", "imagenet"],
)
def test_step_sizes_with_the_published_m(smoothness, epsilon, gammas):
    for level, gamma in zip((2, 3, 4), gammas, strict=True):
        assert step_size(level, epsilon=epsilon, smoothness=smoothness) == pytest.approx(gamma, rel=0.06)
    assert step_size(1, epsilon=epsilon, smoothness=smoothness) == inf


@pytest.mark.parametrize(
    ("smoothness", "epsilon", "effort", "steps", "printed"),
    [
        (0.203, 3, 2, (2, 3, 7), (13, 3, 4)),
        (0.351, 2, 0.5, (2, 3, 6), (2, 3, 4)),
        (1.04, 4, 0.01, (2, 3, 16), (2, 3, 4)),
    ],
    ids=["mnist", "cifar10", "imagenet"],
)
def test_numbers_of_steps_rise_with_the_level_unless_taken_as_printed(smoothness, epsilon, effort, steps, printed):
    for counted, expected in ("theorem", steps), ("printed", printed):
        found = tuple(
            Reasoning(level, epsilon, steps=counted, smoothness=smoothness, effort=effort).count for level in (2, 3, 4)
        )
        assert found == expected
    assert number_of_steps(5, 100.0, effort=1) == 5


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_one_step_of_descent_at_level_1_is_the_closed_form(norm):
    game = setting()
    utility, inputs = game.utility(0.01), game.batch.inputs
    closed, descent = (Reasoning(1, 0.3, norm, method=method) for method in ("closed_form", "descent"))
    assert descent.count == 1
    torch.testing.assert_close(descent.attack(inputs, utility, utility), closed.attack(inputs, utility, utility))
    torch.testing.assert_close(descent.defend(inputs, utility), closed.defend(inputs, utility))
    assert closed.defend(inputs, utility).equal(-closed.attack(inputs, utility, utility))


def quadratic(rng: torch.Generator, size: int = 6):
    """Return a random convex quadratic of the input, with its smallest and largest curvature."""
    basis = torch.linalg.qr(torch.randn(size, size, generator=rng, dtype=torch.float64)).Q
    curvatures = 0.2 + 3 * torch.rand(size, generator=rng, dtype=torch.float64)
    matrix = basis @ torch.diag(curvatures) @ basis.T
    center = 0.5 + 0.4 * torch.randn(1, size, generator=rng, dtype=torch.float64)
    return matrix, center, curvatures.min().item(), curvatures.max().item()


def minimum_in_ball(matrix: torch.Tensor, linear: torch.Tensor) -> torch.Tensor:
    """Minimize σᵀAσ/2 + cᵀσ over the unit ball by bisection for the multiplier."""
    unit, low, high = torch.eye(len(matrix)).double(), 0.0, linear.norm().item() + 1
    at = lambda multiplier: torch.linalg.solve(matrix + multiplier * unit, -linear)  # noqa: E731
    if at(0.0).norm() <= 1:
        return at(0.0)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle).norm() > 1 else (low, middle)
    return at(high)


@pytest.mark.parametrize("number", range(8))
def test_descent_of_convex_quadratics_keeps_the_bounds_of_theorem_3(number):
    epsilon, inputs = 0.05, torch.full((1, 6), 0.5).double()
    matrix, center, mu, largest = quadratic(torch.Generator().manual_seed(number))
    smoothness = largest**0.5 / 2  # so that the utility is 1/Γ₂-smooth
    value = lambda x: 0.5 * ((x - center) @ matrix * (x - center)).sum().item()  # noqa: E731
    utility = playing(lambda x: (x - center) @ matrix)
    best = minimum_in_ball(epsilon**2 * matrix, epsilon * ((inputs - center) @ matrix)[0])
    gamma = step_size(2, epsilon=epsilon, smoothness=smoothness)
    for steps in (1, 2, 5, 10, 20, 40):
        reasoning = Reasoning(2, epsilon, method="descent", step="theorem", steps=steps, smoothness=smoothness)
        moved = reasoning.defend(inputs, utility)
        gap = value(inputs + epsilon * moved) - value(inputs + epsilon * best)
        assert -1e-12 <= gap <= 2 * epsilon**2 / (gamma * steps)
        assert (moved[0] - best).norm().item() <= torch.exp(torch.tensor(-mu * gamma * steps)).item() + 1e-9


def test_nested_descent_follows_equation_9_step_by_step():
    slope = lambda x: torch.stack([x[:, 0] - 0.3, 2 * x[:, 1] - 1.4], dim=1)  # noqa: E731
    inputs, epsilon = torch.tensor([[0.5, 0.5], [0.4, 0.8]]).double(), 0.1
    unit = lambda rows: rows / rows.norm(dim=1, keepdim=True)  # noqa: E731
    attacked = defended = torch.zeros_like(inputs)
    for _ in range(3):
        attacked = unit(slope(inputs + epsilon * (attacked + defended)))
        defended = -unit(slope(inputs + epsilon * (attacked + defended)))
    found = Reasoning(3, epsilon, steps=3).attack(inputs, playing(slope), playing(slope))
    torch.testing.assert_close(found, attacked)


def test_steps_of_a_given_length_move_by_no_more():
    slope = lambda x: torch.ones_like(x)  # noqa: E731
    inputs = torch.full((1, 4), 0.5).double()
    lengths = [
        Reasoning(3, 0.1, step=0.25, steps=steps).defend(inputs, playing(slope)).norm().item() for steps in range(1, 7)
    ]
    assert lengths == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_a_row_without_a_slope_stays_where_it_is():
    slope = lambda x: torch.tensor([[0.0, 0.0], [0.0, -2.0]])  # noqa: E731
    inputs = torch.full((2, 2), 0.5)
    moved = Reasoning(2, 0.1, method="descent").attack(inputs, playing(slope), playing(slope))
    assert moved.tolist() == [[0, 0], [0, -1]]


@pytest.mark.parametrize(("level", "method", "norm"), list(product((1, 2, 3), ("auto", "descent"), ("l2", "linf"))))
def test_what_is_evaluated_and_returned_stays_within_ball_and_pixel_range(level, method, norm):
    seen = []

    def slope(x):
        seen.append(x)
        return (x * 37).sin() - 0.2

    inputs = torch.rand(5, 7, generator=torch.Generator().manual_seed(0)).double()
    utility = playing(slope, slope)
    reasoning = Reasoning(level, 0.8, norm, method=method)
    for moved in (reasoning.attack(inputs, utility, utility), reasoning.defend(inputs, utility)):
        sizes = moved.norm(dim=1) if norm == "l2" else moved.abs().amax(dim=1)
        assert (sizes <= 1 + 1e-12).all()
        assert moved.any()
    assert all(((x >= 0) & (x <= 1)).all() for x in seen)


def test_the_estimate_of_m_is_the_scaled_change_of_loss_by_a_white_image():
    game, eta = setting(), 0.01
    estimate = estimate_m(
        game.network, game.parameters, label=1, validation=game.validation, eta=eta, objective=CrossEntropy()
    )
    white = Batch(torch.ones(1, 6).double(), torch.tensor([1]))
    after = game.parameters - eta * summed_gradient(game.network, game.parameters, batch=white, objective=LOSS)
    losses = [
        LOSS.losses(game.network.forward(game.network.split(at), game.validation.inputs), game.validation).sum()
        for at in (game.parameters, after)
    ]
    assert estimate == pytest.approx(6**0.5 * abs(losses[1] - losses[0]).item())


def test_the_estimate_of_m_depends_on_the_label_that_the_paper_does_not_state():
    game = setting()
    found = [
        estimate_m(game.network, game.parameters, label=label, validation=game.validation, eta=0.01, objective=LOSS)
        for label in range(3)
    ]
    assert max(found) > 2 * min(found)
