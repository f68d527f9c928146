"""Checks of function arguments: a one-line error for a wrong kind of object, before anything is computed."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from math import inf
from numbers import Integral, Real
from types import UnionType
from typing import NamedTuple, NoReturn

import torch
from torch import Tensor, nn

from sparring.arrays import Batch, Matrix, Vector
from sparring.errors import ConfigError, WrongKind
from sparring.random import Generator


class Role(NamedTuple):
    """The name for objects with a certain method, and an example from Sparring."""

    name: str
    example: str


ROLES: Mapping[str, Role] = {
    "craft": Role("an attack", "InnerProduct()"),
    "poison": Role("a poison", "LabelFlip(...)"),
    "stamp": Role("a trigger", "Square()"),
    "aggregate": Role("a rule", "Median()"),
    "plan": Role("a server", "LearnedDefense(...)"),
    "repair": Role("a post-training defense", "NeuroClip()"),
    "assign": Role("a partition", "Iid()"),
    "module": Role("an architecture", "LeNet()"),
    "updates": Role("a backend", "Sequential()"),
    "act": Role("a policy", "PolicyNetwork(...)"),
    "transition": Role("a game", "attack_game(...)"),
}
"""The roles, by the method that identifies them."""

HELD: Mapping[str, str] = {"inner": "aggregate", "trigger": "stamp"}
"""The fields in which one player wraps another, and the method of the wrapped player."""

PRECISIONS = (torch.float32, torch.float64)
"""Supported precisions; half precision overflows at ordinary update sizes."""


def describe(value: object) -> str:
    """Describe an object in a few words: a class, a player with its role, a plain value or a type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    name = type(value).__name__
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    if isinstance(value, nn.Module):
        return f"{name}, a torch module"
    role = next((role.name for verb, role in ROLES.items() if is_player(value, verb)), None)
    if role is not None:
        return f"{name}, {role}"
    return f"an {name}" if name[0] in "AEIOUaeiou" else f"a {name}"


def wrong_kind_error(label: str, value: object, *, remedy: str) -> WrongKind:
    """Return the error that names what is given and what would do."""
    return WrongKind(f"{label} is {describe(value)}; {remedy}")


def is_player(value: object, verb: str) -> bool:
    """Say whether an object, and not a class, has the method `verb`."""
    return not isinstance(value, type) and callable(getattr(value, verb, None))


def check_player(label: str, player: object, *, verb: str) -> None:
    """Reject anything but a player with the method `verb`; a class is rejected, and so is a player that wraps one."""
    if not is_player(player, verb):
        is_its_class = isinstance(player, type) and callable(getattr(player, verb, None))
        role, example = ROLES[verb]
        remedy = _instance(player) if is_its_class else f"give {role}, such as {example}"
        raise wrong_kind_error(label, player, remedy=remedy)
    for field in fields(player) if is_dataclass(player) and not isinstance(player, type) else ():
        value = getattr(player, field.name)
        if field.name in HELD:
            check_player(f"{label}.{field.name}", value, verb=HELD[field.name])
        elif isinstance(value, type):
            raise wrong_kind_error(f"{label}.{field.name}", value, remedy=_instance(value))


def check_kind(label: str, value: object, *, kind: type | UnionType, remedy: str) -> None:
    """Reject a value that is not an instance of `kind`."""
    if not isinstance(value, kind):
        raise wrong_kind_error(label, value, remedy=remedy)


def check_batch(label: str, value: object, *, example: str) -> None:
    """Reject a value that is not one batch of examples; a data set has several."""
    check_kind(label, value, kind=Batch, remedy=f"give a batch of examples, such as {example}")


def check_generator(label: str, value: object) -> None:
    """Reject a value that is not a random generator; a seed is not enough."""
    check_kind(label, value, kind=Generator, remedy='give a generator, such as stream(0, "name")')


def check_architecture(label: str, value: object) -> None:
    """Reject a value that is neither an architecture nor a torch module."""
    if not isinstance(value, nn.Module) and not is_player(value, "module"):
        is_class = isinstance(value, type) and (issubclass(value, nn.Module) or hasattr(value, "module"))
        remedy = "give an architecture, such as LeNet(), or a torch module"
        raise wrong_kind_error(label, value, remedy=_instance(value) if is_class else remedy)


def check_network(label: str, value: object) -> None:
    """Reject a value that is not a network; an architecture becomes a network when it is fitted to a data set."""
    if not is_player(value, "split") or not is_player(value, "forward"):
        model = "model" if isinstance(value, nn.Module) else f"{type(value).__name__}()"
        fits = isinstance(value, nn.Module) or is_player(value, "module")
        remedy = f"fit it to the data: network({model}, data)" if fits else "give a network: network(LeNet(), data)"
        raise wrong_kind_error(label, value, remedy=remedy)


def check_shards(label: str, value: object) -> None:
    """Reject a value that is not shards; examples become shards when they are divided among clients."""
    if not is_player(value, "draw"):
        remedy = "divide the examples among clients: divide(data.train, Iid(), clients=..., seed=...)"
        raise wrong_kind_error(label, value, remedy=remedy)


def check_device(label: str, device: str) -> None:
    """Reject a device that torch does not see."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"{label} is {device!r}; torch sees no such device here, use 'cpu' or a CUDA build of torch")


def check_counts(section: str, **counts: object) -> None:
    """Reject settings of a section that are not whole numbers."""
    _check_types(section, counts, (int, Integral), remedy="it must be a whole number")


def check_numbers(section: str, **numbers: object) -> None:
    """Reject settings of a section that are not numbers."""
    _check_types(section, numbers, (float, Real), remedy="it must be a number")


def _check_types(section: str, values: Mapping[str, object], types: tuple[type, type], *, remedy: str) -> None:
    """Reject values that are neither exactly of the first type, a fast check, nor instances of the second."""
    exact, abstract = types
    for name, value in values.items():
        if type(value) is not exact and not isinstance(value, abstract):
            raise wrong_kind_error(_joined(section, name), value, remedy=remedy)


def check_positive(section: str, **numbers: float) -> None:
    """Reject settings of a section that are not finite numbers above zero."""
    _check_values(section, numbers, lambda value: 0 < value < inf, remedy="it must be positive and finite")


def check_shares(section: str, **shares: float) -> None:
    """Reject settings of a section that are not fractions above 0 and at most 1."""
    _check_values(section, shares, lambda value: 0 < value <= 1, remedy="it must be above 0 and at most 1")


def check_at_least_one(section: str, **counts: float) -> None:
    """Reject settings of a section that are below one."""
    _check_values(section, counts, lambda value: value >= 1, remedy="it must be at least 1")


def _check_values(
    section: str, values: Mapping[str, float], is_allowed: Callable[[float], bool], *, remedy: str
) -> None:
    for name, value in values.items():
        if not is_allowed(value):
            raise ConfigError(f"{_joined(section, name)} is {value}; {remedy}")


def _joined(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name


def _instance(cls: object) -> str:
    return f"make an object of it: {getattr(cls, '__name__', cls)}(...)"


def check_matrix(owner: str, given: object, *, name: str = "updates") -> Matrix:
    """Return a floating-point `[clients, parameters]` matrix ready for computation; reject anything else.

    The result is contiguous and detached; if `given` already is both, `given` itself is returned.
    """
    if not isinstance(given, Tensor) or not _is_dense(given) or given.dim() != 2:
        _refuse(owner, given, name=name, wanted="[clients, parameters]")
    return _plain(given)


def check_vector(owner: str, given: object, *, name: str, of: Tensor | None = None) -> Vector:
    """Return a floating-point vector ready for computation, with the width and precision of `of`; reject others."""
    if not isinstance(given, Tensor) or not _is_dense(given) or given.dim() != 1:
        _refuse(owner, given, name=name, wanted="[parameters]")
    if of is None:
        return _plain(given)
    if given.shape != of.shape[-1:]:
        _refuse(owner, given, name=name, wanted=f"[{of.shape[-1]}]")
    return _plain(given).to(of.dtype)


def _is_dense(tensor: Tensor) -> bool:
    return tensor.dtype in PRECISIONS and tensor.layout == torch.strided


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous() if tensor.requires_grad or not tensor.is_contiguous() else tensor


def _refuse(owner: str, given: object, *, name: str, wanted: str) -> NoReturn:
    form = describe(given)
    if isinstance(given, Tensor):
        kind = "" if given.layout == torch.strided else "sparse "
        form = f"{kind}{str(given.dtype).removeprefix('torch.')} of shape {list(given.shape)}"
    raise ConfigError(f"{owner}: {name} is {form}; use a float32 or float64 tensor {wanted}")


def at_least(least: int, rule: str, **settings: float | None) -> None:
    """Reject a setting below `least`, or NaN; None leaves the choice to the rule."""
    given = {name: value for name, value in settings.items() if value is not None}
    _check_settings(rule, given, lambda value: value >= least, use=f"{{name}} >= {least}")


def positive(rule: str, **settings: float) -> None:
    """Reject a setting that is not a finite number above zero."""
    _check_settings(rule, settings, lambda value: 0 < value < inf, use="a finite {name} > 0")


def fraction(defense: str, **settings: float) -> None:
    """Reject a fraction that is below 0, or not below 1."""
    _check_settings(defense, settings, lambda value: 0 <= value < 1, use="{name} >= 0 and below 1")


def _check_settings(
    player: str, settings: Mapping[str, float], is_allowed: Callable[[float], bool], *, use: str
) -> None:
    for name, value in settings.items():
        if not is_allowed(value):
            raise ConfigError(f"{player}: {name}={value}; use {use.format(name=name)}")
