"""Where two configurations differ."""

from collections.abc import Mapping
from typing import Any

from sparring.experiments.config import describe
from sparring.experiments.contents import known_by
from sparring.experiments.settings import Config


def first_difference(one: Config, other: Config) -> tuple[str, Any, Any] | None:
    """Return the first key at which two configurations differ, with the value of each; None where they are equal."""
    # A run of an earlier version knows its files by their names alone.
    are_known = bool(one.files and other.files)
    first, second = (leaves(known_by(describe(each), each.files if are_known else {})) for each in (one, other))
    for key in {**first, **second}:
        if first.get(key) != second.get(key):
            return key, _told(one, key), _told(other, key)
    return None


def _told(config: Config, key: str) -> Any:
    """Return the value of a key; that of a file with the beginning of its digest."""
    value = leaves(describe(config)).get(key)
    known = config.files.get(value) if isinstance(value, str) else None
    return value if known is None else f"{value} (sha256 {known[:12]})"


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
