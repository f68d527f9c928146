"""What a model's parameters are at the start: drawn at random, or those that it comes with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod, sqrt
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from sparring.arrays import Vector
from sparring.errors import ConfigError
from sparring.random import Generator

Initial = Literal["pretrained", "random"]
"""How a model's parameters start."""


def is_scale(name: str, shape: Sequence[int]) -> bool:
    """Say whether a parameter scales channels, as a normalization's does: it is a vector called weight."""
    return len(shape) == 1 and name.rpartition(".")[2] == "weight"


def glorot(shape: Sequence[int], rng: Generator) -> Vector:
    """Draw a flat weight by Glorot and Bengio's uniform rule (2010); a vector of biases is zero."""
    if len(shape) < 2:
        return torch.zeros(prod(shape))
    field = prod(shape[2:])
    bound = sqrt(6 / (field * (shape[0] + shape[1])))
    return torch.from_numpy(rng.uniform(-bound, bound, prod(shape)).astype(np.float32))


def draw_weights(module: nn.Module, rng: Generator) -> None:
    """Give every parameter of a module new weights by `glorot`, in their order."""
    drawn = {name: glorot(piece.shape, rng).view(piece.shape) for name, piece in module.state_dict().items()}
    module.load_state_dict(drawn, assign=True)


@contextmanager
def reproducible_build(seed: int) -> Iterator[None]:
    """Let layers draw their first weights from torch's global generator at `seed`; what is left undrawn is NaN."""
    mode = torch.get_deterministic_debug_mode()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        # In this mode torch fills memory that is not written to.
        torch.set_deterministic_debug_mode("warn")
        try:
            yield
        finally:
            torch.set_deterministic_debug_mode(mode)


def check_initial(label: str, initial: object) -> Initial | None:
    """Return how parameters start, if that is said."""
    if initial is not None and initial not in get_args(Initial):
        raise ConfigError(f"{label} has initial={initial!r}; use 'pretrained' or 'random'")
    return initial  # type: ignore[return-value]


def declared_initial(architecture: object) -> object:
    """Return what an architecture says itself; a subclass may build other modules than the class above it."""
    is_its_own = "initial" in vars(type(architecture)) or "initial" in getattr(architecture, "__dict__", {})
    return getattr(architecture, "initial", None) if is_its_own else None


def choose_initial(label: str, initial: Initial | None, *, module: nn.Module, other: nn.Module) -> Initial:
    """Return how an architecture's parameters start: as is said, or else at random if no weights are lost by that.

    `module` and `other` are built with different seeds: weights that are alike in both are no random ones.
    """
    has_weights = any(map(_is_given, module.parameters(), other.parameters()))
    if initial is None and has_weights:
        raise ConfigError(
            f"{label} comes with weights; set initial to 'pretrained' or 'random', in a field of its class"
        )
    if initial == "pretrained" and not has_weights:
        raise ConfigError(f"{label} has initial='pretrained', and comes with no weights to train; use 'random'")
    return initial or "random"


def _is_given(parameter: nn.Parameter, other: nn.Parameter) -> bool:
    """Say whether a parameter that is trained starts from numbers that are neither drawn nor all the same."""
    is_drawn = parameter.shape != other.shape or not torch.equal(parameter, other)
    return parameter.requires_grad and not is_drawn and bool((parameter != parameter.flatten()[:1]).any())
