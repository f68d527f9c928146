"""A check: a function named by a statement about its subject, which yields violations."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Batch
from sparring.errors import PluginError, SparringError, attribute_errors

Check = Callable[[Any], Iterator[str]]
"""Yields a description of each violation; yields nothing if the subject passes."""


class PlayerFinding(NamedTuple):
    """The result of a check; it passed if there are no failures."""

    check: str
    failures: tuple[str, ...]


def examine(checks: Iterable[Check], subject: object) -> Iterator[PlayerFinding]:
    """Yield the finding of each check as soon as it is complete."""
    for check in checks:
        yield PlayerFinding(format_check_name(check), failures(check, subject))


def failures(check: Check, subject: object) -> tuple[str, ...]:
    """Return the failures of one check; an error ends the check and counts as a failure."""
    try:
        with attribute_errors("it"):
            return tuple(check(subject))
    except SparringError as error:
        return (str(error),)


@contextmanager
def name_case(case: str) -> Iterator[None]:
    """Add the name of a check's case to errors raised in it."""
    try:
        with attribute_errors("it"):
            yield
    except SparringError as error:
        raise PluginError(f"{case}: {error}") from error


def format_check_name(check: Check) -> str:
    """Return a check's name as a sentence."""
    return check.__name__.replace("_", " ")


def copies(tensors: Iterable[Tensor]) -> list[Tensor]:
    return [tensor.clone() for tensor in tensors]


def are_equal(some: Iterable[Tensor], others: Iterable[Tensor]) -> bool:
    """Say whether tensors are equal in pairs; NaN equals NaN."""
    return all(
        torch.equal(one.nan_to_num(nan=0.5), other.nan_to_num(nan=0.5)) for one, other in zip(some, others, strict=True)
    )


def is_left_alone(batch: Batch, use: Callable[[Batch], object]) -> bool:
    """Say whether a batch is unchanged by its use."""
    before = copies(batch)
    use(batch)
    return are_equal(batch, before)


def are_finite(tensors: Iterable[Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
