"""Where two configurations differ."""

from collections.abc import Mapping
from typing import Any

from sparring.experiments.config import describe
from sparring.experiments.settings import Config


def first_difference(one: Config, other: Config) -> tuple[str, Any, Any] | None:
    """Return the first key at which two configurations differ, with the value of each; None where they are equal."""
    first, second = leaves(describe(one)), leaves(describe(other))
    for key in {**first, **second}:
        if first.get(key) != second.get(key):
            return key, first.get(key), second.get(key)
    return None


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Flatten sections and lists to `section.key`."""
    if isinstance(value, list):
        value = {str(place): each for place, each in enumerate(value)}
    if not isinstance(value, Mapping):
        return {path: value}
    return {
        leaf: each
        for key, part in value.items()
        for leaf, each in leaves(part, f"{path}.{key}" if path else key).items()
    }
