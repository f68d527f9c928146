"""The mixed gradient against loops, finite differences and another order of differentiation."""

import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.errors import ConfigError
from sparring.models import Cnn, Cnn7, LeNet, Logistic, Mlp, network
from sparring.random import stream
from sparring.training import (
    CrossEntropy,
    SquaredError,
    check_twice_differentiable,
    mixed_gradient,
    summed_gradient,
)
from tests.settings import Facts
from tests.training.small_networks import ACTIVATIONS, LOSS, Line, setting

each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def pieces(batch, size):
    return [Batch(*(part[at : at + size] for part in batch)) for at in range(0, len(batch.labels), size)]


@each_activation
def test_one_call_equals_a_loop_over_examples(activation):
    game = setting(activation, examples=9)
    direction = game.utility(1.0).gradient
    rows = mixed_gradient(game.network, game.parameters, batch=game.batch, direction=direction, objective=LOSS)
    one_by_one = [
        mixed_gradient(game.network, game.parameters, batch=single, direction=direction, objective=LOSS)
        for single in pieces(game.batch, 1)
    ]
    torch.testing.assert_close(rows, torch.cat(one_by_one), rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # by torch's own forward mode
@each_activation
def test_rows_equal_the_derivative_of_the_input_gradient_along_the_direction(activation):
    game = setting(activation)
    direction = game.utility(1.0).gradient

    def input_gradient(parameters):
        def summed(inputs):
            outputs = game.network.forward(game.network.split(parameters), inputs)
            return LOSS.losses(outputs, Batch(inputs, game.batch.labels)).sum()

        return torch.func.grad(summed)(game.batch.inputs)

    _, forward = torch.func.jvp(input_gradient, (game.parameters,), (direction,))
    rows = mixed_gradient(game.network, game.parameters, batch=game.batch, direction=direction, objective=LOSS)
    torch.testing.assert_close(rows, forward, rtol=1e-12, atol=1e-12)


@each_activation
def test_rows_equal_finite_differences_of_the_gradients_product_with_the_direction(activation):
    game, step = setting(activation, examples=2), 1e-6
    direction = game.utility(1.0).gradient
    rows = mixed_gradient(game.network, game.parameters, batch=game.batch, direction=direction, objective=LOSS)
    for index in torch.cartesian_prod(torch.arange(2), torch.arange(6)):
        nudge = torch.zeros_like(game.batch.inputs)
        nudge[tuple(index)] = step
        up, down = (
            summed_gradient(
                game.network, game.parameters, batch=game.batch._replace(inputs=inputs), objective=LOSS
            ).dot(direction)
            for inputs in (game.batch.inputs + nudge, game.batch.inputs - nudge)
        )
        assert rows[tuple(index)].item() == pytest.approx(((up - down) / (2 * step)).item(), abs=1e-6)


def images(count: int) -> Batch:
    rng = torch.Generator().manual_seed(3)
    return Batch(torch.rand(count, 1, 28, 28, generator=rng), torch.randint(10, (count,), generator=rng))


@pytest.mark.parametrize("model", [Mlp(hidden=20), LeNet(), Cnn()], ids=repr)
def test_networks_of_the_package_give_rows_that_do_not_depend_on_the_minibatch(model):
    fitted, batch = network(model, Facts()), images(6)
    parameters = fitted.initial(stream(0, "model"))
    direction = summed_gradient(fitted, parameters, batch=images(9), objective=CrossEntropy())
    rows, again = (
        mixed_gradient(fitted, parameters, batch=batch, direction=direction, objective=CrossEntropy()) for _ in range(2)
    )
    assert rows.equal(again)
    parts = [
        mixed_gradient(fitted, parameters, batch=part, direction=direction, objective=CrossEntropy())
        for part in pieces(batch, 2)
    ]
    torch.testing.assert_close(rows, torch.cat(parts), rtol=1e-3, atol=1e-4 * rows.abs().max().item())


def test_large_minibatches_are_taken_in_chunks():
    game = setting(examples=1203)
    direction = game.utility(1.0).gradient
    rows, *halves = (
        mixed_gradient(game.network, game.parameters, batch=part, direction=direction, objective=LOSS)
        for part in (game.batch, *pieces(game.batch, 700))
    )
    torch.testing.assert_close(rows, torch.cat(halves), rtol=1e-12, atol=1e-12)


def test_what_is_given_is_not_edited():
    game = setting()
    direction = game.utility(1.0).gradient
    before = [tensor.clone() for tensor in (game.parameters, *game.batch, direction)]
    mixed_gradient(game.network, game.parameters, batch=game.batch, direction=direction, objective=LOSS)
    after = (game.parameters, *game.batch, direction)
    assert all(one.equal(other) and not one.requires_grad for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("objective", "expected"),
    [(SquaredError(lambda x: 20 * x), -2_520_000), (SquaredError(), -1_680_000)],
    ids=["label that moves", "label that stays"],
)
def test_the_published_closed_form_needs_a_label_that_moves_with_the_input(objective, expected):
    theta, x, z, eta = torch.tensor([-10.0]).double(), torch.tensor([[0.7]]).double(), torch.tensor([[50.0]]), 0.2
    gradient = summed_gradient(Line(), theta, batch=Batch(z.double(), 20 * z.double()), objective=objective)
    rows = mixed_gradient(Line(), theta, batch=Batch(x, 20 * x), direction=gradient, objective=objective)
    assert -eta * rows.item() == pytest.approx(expected)
    published = -8 * eta * (20 + 10) ** 2 * 50**2 * 0.7
    assert (expected == pytest.approx(published)) == (objective.targets is not None)


def test_central_differences_of_the_input_gradient_are_no_substitute_in_single_precision():
    fitted, batch = network(Mlp(hidden=100), Facts()), images(200)
    parameters = fitted.initial(stream(0, "model"))
    direction = summed_gradient(fitted, parameters, batch=images(300), objective=CrossEntropy())
    rows = mixed_gradient(fitted, parameters, batch=batch, direction=direction, objective=CrossEntropy())
    step = 1e-3 / direction.norm()

    def input_gradient(at):
        inputs = batch.inputs.clone().requires_grad_()
        outputs = fitted.forward(fitted.split(at), inputs)
        return torch.autograd.grad(CrossEntropy().losses(outputs, batch).sum(), inputs)[0]

    differences = input_gradient(parameters + step * direction) - input_gradient(parameters - step * direction)
    cosines = nn.functional.cosine_similarity(rows.flatten(1), differences.flatten(1))
    assert cosines.min() < 0.9 < cosines.median()


class Once(torch.autograd.Function):
    """The square, with a derivative that cannot be differentiated."""

    @staticmethod
    def forward(ctx, inputs):
        ctx.save_for_backward(inputs)
        return inputs.square()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        return 2 * slope * ctx.saved_tensors[0]


class OnceLayer(nn.Module):
    def forward(self, inputs):
        return Once.apply(inputs)


class CutLayer(nn.Module):
    def forward(self, inputs):
        return inputs.detach()


class PartlyCutLayer(nn.Module):
    def forward(self, inputs):
        return inputs + inputs.detach().square()


def probe(*layers: nn.Module) -> None:
    fitted = network(nn.Sequential(*layers), Facts(shape=(5,), classes=3), initial="random")
    batch = Batch(torch.rand(4, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0]))
    check_twice_differentiable(fitted, fitted.initial(stream(0, "model")), batch=batch, objective=CrossEntropy())


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (OnceLayer(), "cannot be differentiated twice"),
        (CutLayer(), "no gradient from its parameters to its inputs"),
        (PartlyCutLayer(), "part of its gradient is cut"),
    ],
    ids=["differentiable once", "cut graph", "partly cut graph"],
)
def test_a_model_that_cannot_be_differentiated_twice_is_refused_in_one_line(layer, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        probe(nn.Linear(5, 4), layer, nn.Linear(4, 3))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Tanh(), nn.Identity()], ids=repr)
def test_models_that_can_pass_the_probe(layer):
    probe(nn.Linear(5, 4), layer, nn.Linear(4, 3))


@pytest.mark.parametrize("model", [Mlp(), LeNet(), Cnn(), Cnn7(), Logistic()], ids=repr)
def test_models_of_the_package_pass_the_probe_even_on_images_without_content(model):
    fitted = network(model, Facts())
    blank = Batch(torch.zeros(2, 1, 28, 28), torch.tensor([3, 4]))
    check_twice_differentiable(fitted, fitted.initial(stream(0, "model")), batch=blank, objective=CrossEntropy())
