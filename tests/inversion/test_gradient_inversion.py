import pytest
import torch
from torch import nn

from sparring.contracts import Model
from sparring.errors import ConfigError
from sparring.inversion import MARL, MSG, GradientInversion, invert, invert_each
from sparring.inversion.gradient_inversion import gradients_of, total_variation
from sparring.models import Cnn, LeNet, Mlp, network
from sparring.random import stream
from tests.inversion.pictures import CLASSES, bars, leaked, model
from tests.settings import Facts

SHAPE = (1, 6, 6)


def inverted(at, gradients, *, shape=SHAPE, **settings):
    search = GradientInversion(**{"iterations": 120} | settings)
    return invert_each(at, torch.stack(gradients), shape=shape, rng=stream(0, "inversion"), search=search)


def error(found, true):
    return (found.inputs - true.inputs).square().mean().item()


def test_an_image_is_reconstructed_from_its_gradient():
    at, true = model(), bars([2])
    (found,) = inverted(at, [leaked(at, true)], variation=0.01)
    assert error(found, true) < 0.1 * true.inputs.square().mean()
    assert found.labels.argmax().item() == 2
    assert found.distance < 0.05
    assert found.note == ""


def test_the_images_of_a_batch_are_reconstructed_in_some_order():
    at, true = model(Mlp(hidden=64)), bars([0, 3])
    (found,) = inverted(at, [leaked(at, true)], images=2, variation=0.01, iterations=300)
    assert sorted(found.labels.argmax(dim=1).tolist()) == [0, 3]
    order = found.labels.argmax(dim=1).argsort()
    assert (found.inputs[order] - true.inputs).square().mean() < 0.3 * true.inputs.square().mean()


def test_several_gradients_are_inverted_at_once():
    at, examples = model(), [bars([0]), bars([3])]
    found = inverted(at, [leaked(at, each) for each in examples], variation=0.01)
    for each, true, other in zip(found, examples, reversed(examples), strict=True):
        assert error(each, true) < 0.5 * error(each, other)


@pytest.mark.parametrize(
    ("architecture", "shape"), [(Mlp(hidden=8), SHAPE), (LeNet(), (1, 12, 12)), (Cnn(width=2), (1, 28, 28))], ids=repr
)
def test_gradients_and_their_slopes_are_those_of_one_search_alone(architecture, shape):
    at, generator = model(architecture, shape), torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, *shape, generator=generator).requires_grad_()
    logits = torch.randn(2, 3, CLASSES, generator=generator).requires_grad_()
    both = gradients_of(at.network, at.parameters, images=images, logits=logits)
    for row, gradient in enumerate(both):
        leaves = [piece.detach().requires_grad_() for piece in at.network.split(at.parameters)]
        scores = logits[row].softmax(dim=1)
        loss = torch.nn.functional.cross_entropy(at.network.forward(leaves, images[row]), scores)
        alone = torch.cat([piece.flatten() for piece in torch.autograd.grad(loss, leaves, create_graph=True)])
        torch.testing.assert_close(gradient, alone, atol=1e-5, rtol=1e-4)
        slopes = [
            torch.autograd.grad(each.square().sum(), (images, logits), retain_graph=True) for each in (gradient, alone)
        ]
        torch.testing.assert_close(*slopes, atol=1e-4, rtol=1e-3)


def test_the_distance_is_that_of_what_was_found():
    at, true = model(), bars([1])
    (found,) = inverted(at, [leaked(at, true)], iterations=20)
    logits = found.labels.log()[None]
    again = gradients_of(at.network, at.parameters, images=found.inputs[None], logits=logits)[0]
    cosine = torch.nn.functional.cosine_similarity(again, leaked(at, true), dim=0)
    assert found.distance == pytest.approx(1 - cosine.item(), abs=1e-5)


def test_a_restart_that_is_worse_changes_nothing():
    at, true = model(), bars([2])
    one, three = (inverted(at, [leaked(at, true)], restarts=count, iterations=30)[0] for count in (1, 3))
    weight = GradientInversion().variation
    objectives = [each.distance + weight * total_variation(each.inputs).item() for each in (one, three)]
    assert objectives[1] <= objectives[0] + 1e-6


def test_total_variation_is_the_mean_step_down_and_across():
    image = torch.tensor([[0.0, 1.0], [0.0, 0.5]])
    assert total_variation(image[None, None]).item() == pytest.approx((0 + 0.5) / 2 + (1 + 0.5) / 2)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("lr", [1e3, 1e30])
def test_a_search_that_diverges_is_bounded_and_keeps_the_best(lr, signed):
    at = model()
    (found,) = inverted(at, [leaked(at, bars([2]))], lr=lr, label_lr=lr, signed=signed, iterations=10)
    (start,) = inverted(at, [leaked(at, bars([2]))], iterations=1)
    assert torch.isfinite(found.inputs).all()
    assert 0 <= found.inputs.min() <= found.inputs.max() <= 1
    assert torch.isfinite(found.labels).all()
    assert found.distance <= start.distance + 0.2
    assert found.iterations < 10


def test_a_search_that_ends_farther_away_says_so():
    at, true = model(), bars([2])
    (found,) = inverted(at, [leaked(at, true)], variation=1e3, lr=0.5, brightness=0.01, iterations=2)
    assert found.note == "the search ended farther away than it began: the best is kept"
    assert found.iterations == 0


def test_a_model_that_answers_no_numbers_leaves_the_start_and_says_so():
    sound = model()
    broken = Model(sound.network, torch.full_like(sound.parameters, torch.nan))
    (found,) = inverted(broken, [leaked(sound, bars([2]))], iterations=7)
    assert found.note.startswith("the objective was not finite in 7 of 7 iterations")
    assert found.distance == float("inf")
    assert 0 <= found.inputs.min() <= found.inputs.max() <= 0.2


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_gradient_that_points_nowhere_is_said_to(value):
    at, true = model(), bars([2])
    nowhere = torch.full_like(at.parameters, value)
    found, none = inverted(at, [leaked(at, true), nowhere], variation=0.01)
    assert none.note == "the gradient is zero or not finite: there was nothing to match"
    assert torch.isfinite(none.inputs).all()
    assert found.note == ""
    assert error(found, true) < 0.1 * true.inputs.square().mean(), "it is not disturbed"


def test_equal_streams_give_equal_reconstructions():
    at, true = model(), bars([2])
    first, second = (inverted(at, [leaked(at, true)], iterations=10)[0] for _ in range(2))
    torch.testing.assert_close(first[:2], second[:2], rtol=0, atol=0)
    assert first[2:] == second[2:]


def test_one_gradient_alone_is_inverted_as_the_first_of_many():
    at, true = model(), bars([2])
    search = GradientInversion(iterations=10)
    alone = invert(at, leaked(at, true), shape=SHAPE, rng=stream(0, "inversion"), search=search)
    (among,) = inverted(at, [leaked(at, true)], iterations=10)
    torch.testing.assert_close(alone.inputs, among.inputs, rtol=0, atol=0)


def test_model_and_gradient_are_left_alone():
    at, gradient = model(), leaked(model(), bars([2]))
    inverted(at, [gradient], iterations=5)
    torch.testing.assert_close(at.parameters, model().parameters, rtol=0, atol=0)
    torch.testing.assert_close(gradient, leaked(model(), bars([2])), rtol=0, atol=0)


def test_the_published_settings_are_as_published():
    assert (MSG.images, MSG.iterations, MSG.lr, MSG.variation) == (32, 10_000, 0.05, 0.02)
    assert (MARL.iterations, MARL.lr, MARL.variation) == (6_000, 0.001, 0.01)
    assert MSG.signed
    assert MARL.signed
    assert (MSG.unit, MARL.unit) == (0.3081, 0.3530)


def test_steps_and_variation_are_counted_in_the_unit_of_normalized_pixels():
    at, observed = model(), [leaked(model(), bars([2]))]
    (normalized,) = inverted(at, observed, lr=0.05, variation=0.02, unit=0.3081, iterations=20)
    (plain,) = inverted(at, observed, lr=0.015405, variation=0.0649140, iterations=20)
    torch.testing.assert_close(normalized.inputs, plain.inputs, atol=1e-4, rtol=0)
    (other,) = inverted(at, observed, lr=0.05, variation=0.02, iterations=20)
    assert not torch.allclose(normalized.inputs, other.inputs, atol=1e-2)


def test_a_gradient_of_another_model_is_refused():
    with pytest.raises(ConfigError, match=r"inversion: the gradient has shape \[3\]; one of this model has \[660\]"):
        invert(model(), torch.zeros(3), shape=SHAPE, rng=stream(0))


def test_only_images_are_searched_for():
    at = model()
    with pytest.raises(ConfigError, match=r"inversion: examples of shape \[36\]; use images"):
        invert(at, torch.zeros_like(at.parameters), shape=(36,), rng=stream(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": 0}, "inversion.images is 0; it must be at least 1"),
        ({"iterations": 0}, "inversion.iterations is 0"),
        ({"restarts": 0}, "inversion.restarts is 0"),
        ({"lr": 0.0}, "inversion.lr is 0.0; it must be positive and finite"),
        ({"lr": float("inf")}, "inversion.lr is inf"),
        ({"label_lr": -0.1}, "inversion.label_lr is -0.1; it must be at least 0 and finite"),
        ({"variation": float("nan")}, "inversion.variation is nan"),
        ({"confidence": -1.0}, "inversion.confidence is -1.0"),
        ({"brightness": 1.5}, "inversion.brightness is 1.5; it must be from 0 to 1"),
        ({"unit": 0.0}, "inversion.unit is 0.0; it must be above 0 and at most 1"),
    ],
)
def test_settings_that_lead_nowhere_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        GradientInversion(**settings)


def test_a_parameter_without_dimensions_has_its_place_in_a_gradient():
    class Tempered(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Flatten(), nn.Linear(16, 3))
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, inputs):
            return self.scale * self[1](self[0](inputs))

    fitted = network(Tempered(), Facts((1, 4, 4), 3))
    images, logits = torch.rand(2, 1, 1, 4, 4), torch.rand(2, 1, 3)
    parameters = fitted.initial(stream(0, "model"))
    found = gradients_of(fitted, parameters, images=images, logits=logits)
    assert found.shape == (2, fitted.size)
