"""Ranges of hyperparameters."""

from collections.abc import Mapping, Sequence

from sparring.errors import ConfigError

Range = tuple[float, float]
COUNT: Range = (1, 10**9)
SHARE: Range = (0, 1)
RATE: Range = (1e-12, 1)
AMOUNT: Range = (0, 10**9)


def refuse_outside(settings: object, label: str, *, ranges: Mapping[str, Range], units: Sequence[int]) -> None:
    """Check the named fields, bounds included, and the units of hidden layers; `label` prefixes a field's name."""
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise ConfigError(f"{label}.{name} is {value}; it must be from {low} to {high}")
    if any(each < 1 for each in units):
        raise ConfigError(f"{label}.hidden is {list(units)}; every layer must have at least 1 unit")
