"""A model's initial parameters: drawn at random, or pre-trained ones that come with the model."""

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
"""Where a model's initial parameters come from."""


def is_scale(name: str, shape: Sequence[int]) -> bool:
    """Say whether a parameter scales channels, as in a normalization layer: it is a vector called weight."""
    return len(shape) == 1 and name.rpartition(".")[2] == "weight"


def glorot(shape: Sequence[int], rng: Generator) -> Vector:
    """Draw a flat weight by Glorot and Bengio's uniform rule (2010); bias vectors are zero."""
    if len(shape) < 2:
        return torch.zeros(prod(shape))
    field = prod(shape[2:])
    bound = sqrt(6 / (field * (shape[0] + shape[1])))
    return torch.from_numpy(rng.uniform(-bound, bound, prod(shape)).astype(np.float32))


def draw_weights(module: nn.Module, rng: Generator) -> None:
    """Draw all parameters of a module by `glorot`, in order."""
    drawn = {name: glorot(piece.shape, rng).view(piece.shape) for name, piece in module.state_dict().items()}
    module.load_state_dict(drawn, assign=True)


@contextmanager
def reproducible_build(seed: int) -> Iterator[None]:
    """Seed torch's global generator with `seed` while a module is built; uninitialized memory is filled with NaN."""
    mode = torch.get_deterministic_debug_mode()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        # In this mode torch fills uninitialized memory.
        torch.set_deterministic_debug_mode("warn")
        try:
            yield
        finally:
            torch.set_deterministic_debug_mode(mode)


def check_initial(label: str, initial: object) -> Initial | None:
    """Validate how parameters are initialized, if stated."""
    if initial is not None and initial not in get_args(Initial):
        raise ConfigError(f"{label} has initial={initial!r}; use 'pretrained' or 'random'")
    return initial  # type: ignore[return-value]


def declared_initial(architecture: object) -> object:
    """Return the `initial` that an architecture's own class declares; inherited values do not count."""
    is_its_own = "initial" in vars(type(architecture)) or "initial" in getattr(architecture, "__dict__", {})
    return getattr(architecture, "initial", None) if is_its_own else None


def choose_initial(label: str, initial: Initial | None, *, module: nn.Module, other: nn.Module) -> Initial:
    """Return how an architecture's parameters are initialized: as stated, else at random if no weights are lost.

    `module` and `other` are built with different seeds: weights that are equal in both are not random.
    """
    has_weights = any(map(_is_given, module.parameters(), other.parameters()))
    if initial is None and has_weights:
        raise ConfigError(
            f"{label} comes with weights; set initial to 'pretrained' or 'random', in a field of its class"
        )
    if initial == "pretrained" and not has_weights:
        raise ConfigError(f"{label} has initial='pretrained', but comes with no weights to train; use 'random'")
    return initial or "random"


def _is_given(parameter: nn.Parameter, other: nn.Parameter) -> bool:
    """Say whether a trainable parameter has given values: neither drawn at random nor constant."""
    is_drawn = parameter.shape != other.shape or not torch.equal(parameter, other)
    return parameter.requires_grad and not is_drawn and bool((parameter != parameter.flatten()[:1]).any())
