"""Random modules, of layers that users put together: every backend trains them as the sequential one does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

from sparring.models import network
from sparring.models.initialization import reproducible_build
from sparring.training import BACKENDS, Sequential
from tests.training.backends.modules import (
    CLASSES,
    Choosing,
    Doubled,
    Forgetful,
    Remembering,
    Residual,
    Scaled,
    Squared,
    facts,
    relative_error,
    updates,
)

SHAPES = {"images": (2, 6, 6), "gray images": (1, 7, 5), "series": (4, 5), "vectors": (6,)}
EXAMPLES_OF_A_SHAPE = 80

Draw = Callable[[st.SearchStrategy], object]

Make = Callable[[], nn.Module]

USUAL: tuple[Make, ...] = (
    *(nn.ReLU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.Identity),
    *(lambda: nn.ReLU(inplace=True), lambda: nn.ELU(inplace=True)),
)
UNUSUAL: tuple[Make, ...] = (
    *(nn.LeakyReLU, nn.SiLU, nn.PReLU, nn.Dropout, lambda: nn.Hardtanh(inplace=True)),
    *(Scaled, Forgetful, Remembering, Choosing),
)
PADDINGS = ("zeros", "zeros", "zeros", "circular", "reflect", "replicate")


def convolution(draw: Draw, shape: Sequence[int]) -> nn.Module:
    kernel, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, shape[0]]))
    padding = draw(st.sampled_from([0, 1, 1, "valid", "same" if kernel % 2 else 0]))
    return nn.Conv2d(
        *(shape[0], groups * draw(st.integers(1, 2)), kernel),
        stride=1 if padding == "same" else draw(st.integers(1, 2)),
        padding=padding,
        dilation=draw(st.integers(1, 2)) if kernel == 2 else 1,
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=draw(st.sampled_from(PADDINGS)),
    )


def layers_of_images(draw: Draw, shape: Sequence[int]) -> tuple[Make, ...]:
    channels, *sides = shape
    pads = (lambda: nn.ZeroPad2d(1), lambda: nn.ReflectionPad2d(1), lambda: nn.ReplicationPad2d(1))
    return (
        *(pads if 2 <= min(sides) <= 5 else ()),
        lambda: nn.AdaptiveAvgPool2d(2),
        lambda: nn.GroupNorm(1, channels),
        lambda: nn.BatchNorm2d(channels, track_running_stats=False),
        lambda: Residual(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=draw(st.booleans()))),
        lambda: nn.Flatten(2),
    )


def layers_of_rows(draw: Draw, shape: Sequence[int]) -> tuple[Make, ...]:
    width = shape[-1]
    return (
        lambda: Squared(width, 3),
        lambda: Residual(nn.Linear(width, width), nn.Tanh()),
        lambda: nn.LayerNorm(width),
        lambda: Doubled(nn.Linear(width, 3), nn.ReLU()),
    )


def usual_layers(draw: Draw, shape: Sequence[int]) -> tuple[Make, ...]:
    """Return the layers that may share a backward; here and there one that does not, since it pads in another way."""
    dense = (lambda: nn.Linear(shape[-1], draw(st.integers(2, 5)), bias=draw(st.booleans())), nn.Flatten)
    if len(shape) < 3 or min(shape[1:]) < 3:
        return (*dense, *USUAL)
    pools = (lambda: nn.MaxPool2d(2), lambda: nn.AvgPool2d(2))
    return (*(lambda: convolution(draw, shape),) * 4, *pools, *dense, *USUAL)


def layer(draw: Draw, shape: Sequence[int], *, used: Sequence[nn.Module], is_usual: bool) -> nn.Module:
    """Draw a layer that takes this shape: of its own kind, one for any shape, or an object that is there already."""
    again = [each for each in used if not list(each.parameters())]
    if again and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(again))
    of_images = layers_of_images(draw, shape) if len(shape) == 3 else ()
    others = () if is_usual else (*layers_of_rows(draw, shape), *of_images, *UNUSUAL)
    return draw(st.sampled_from((*usual_layers(draw, shape), *others)))()


def shape_behind(layers: Sequence[nn.Module], shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return what shape layers give; none if they do not take this one."""
    try:
        with torch.no_grad():
            return tuple(nn.Sequential(*layers)(torch.ones(2, *shape)).shape[1:])
    except (RuntimeError, ValueError, IndexError):
        return None


@st.composite
def chains(draw: Draw, shape: Sequence[int]) -> nn.Module:
    layers, now, is_usual = [], shape, draw(st.booleans())
    for _ in range(draw(st.integers(1, 4))):
        layers.append(layer(draw, now, used=layers, is_usual=is_usual))
        now = shape_behind(layers, shape)
        assume(now is not None and 0 < prod(now) <= 200)
    container = draw(st.sampled_from([nn.Sequential] * 4 + [Doubled]))
    return container(*layers, nn.Flatten(), nn.Linear(prod(now), CLASSES))


@st.composite
def modules(draw: Draw, shape: Sequence[int]) -> nn.Module:
    """Draw a chain of layers, of which some may be frozen or hooked."""
    with reproducible_build(0):
        module = draw(chains(shape))
    for part in draw(st.lists(st.sampled_from(list(module)[:-1]), max_size=1)):
        part.requires_grad_(draw(st.booleans()))
    for hook in draw(st.lists(st.sampled_from(["none"] * 3 + ["before", "behind", "gradient"]), max_size=1)):
        hooked(draw(st.sampled_from([module, *module])), hook)
    return module


def hooked(module: nn.Module, hook: str) -> None:
    if hook == "before":
        module.register_forward_pre_hook(lambda layer, inputs: (inputs[0] + 0.5,))
    if hook == "behind":
        module.register_forward_hook(lambda layer, inputs, output: 2 * output)
    if hook == "gradient":
        module.register_full_backward_hook(lambda layer, slopes, _: tuple(s if s is None else 2 * s for s in slopes))


@contextmanager
def refusals_by_torch() -> Iterator[None]:
    """Drop a model of which torch itself has no gradient, since it edits what a layer has yet to read again."""
    try:
        yield
    except RuntimeError as error:
        if "inplace" not in str(error):
            raise
        assume(False)


def disagreements(module: nn.Module, shape: Sequence[int], *, steps: int, examples: int) -> Iterator[str]:
    """Yield the backends that train a module otherwise than the sequential one."""
    fitted = network(module, facts(shape))
    with refusals_by_torch():
        expected = updates(Sequential(), fitted, shape=shape, steps=steps, examples=examples)
    assume(expected.any() and expected.isfinite().all())
    for name, backend in BACKENDS.items():
        found = updates(backend(), fitted, shape=shape, steps=steps, examples=examples)
        error = relative_error(found, expected)
        if error > 1e-4:
            yield f"{name} by {error}"


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_backend_trains_a_random_module_as_the_sequential_one_does(shape):
    quick = (HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large)

    @settings(max_examples=EXAMPLES_OF_A_SHAPE, deadline=None, derandomize=True, suppress_health_check=quick)
    @given(module=modules(shape), steps=st.integers(1, 2), examples=st.sampled_from([2, 5, 17]))
    def agree(module, steps, examples):
        assert not list(disagreements(module, shape, steps=steps, examples=examples))

    agree()
