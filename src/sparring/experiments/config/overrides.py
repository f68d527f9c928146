"""Apply settings from the command line, `section.key=value`, to a configuration."""

from collections.abc import Iterable, Mapping
from typing import Any

from sparring.errors import ConfigError
from sparring.experiments.config.yaml_reader import DEEPEST, parse_value


def apply_overrides(document: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return a copy of the document with each setting applied in order."""
    changed = dict(document)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not _is_path(path):
            raise ConfigError(f"{setting!r} is not a setting; write section.key=value, as in federation.rounds=100")
        changed = _set_in(changed, path.split("."), value=parse_value(setting, text), setting=setting)
    return changed


def set_value(document: Mapping[str, Any], path: str, *, value: Any) -> dict[str, Any]:
    """Return a copy of the document with a value set at `section.key`."""
    if not _is_path(path):
        raise ConfigError(f"{path!r} is not a key; write section.key, as in federation.rounds")
    changed: dict[str, Any] = _set_in(document, path.split("."), value=value, setting=path)
    return changed


def _is_path(path: str) -> bool:
    keys = path.split(".")
    return all(keys) and len(keys) <= DEEPEST


def _set_in(holder: Any, keys: list[str], *, value: Any, setting: str) -> Any:
    """Return a copy of a section or list with `value` set at the path `keys`.

    Text in place of a section sets its name: `defense=krum` sets `defense.name`.
    """
    if not keys:
        is_name = isinstance(value, str) and isinstance(holder, Mapping)
        return {**holder, "name": value} if is_name else value
    if isinstance(holder, str):
        holder = {"name": holder}
    key, *rest = keys
    if isinstance(holder, list):
        return _set_in_list(holder, keys, value=value, setting=setting)
    if holder is None and key.isdecimal():
        return _set_in_list([], keys, value=value, setting=setting)
    if holder is not None and not isinstance(holder, Mapping):
        raise ConfigError(f"{setting}: {key!r} is not in a section, but in {holder!r}; set the section first")
    section = dict(holder or {})
    return section | {key: _set_in(section.get(key), rest, value=value, setting=setting)}


def _set_in_list(holder: list[Any], keys: list[str], *, value: Any, setting: str) -> list[Any]:
    """Return a copy of a list with one item changed, or added at the end."""
    key, *rest = keys
    if not key.isascii() or not key.isdecimal() or int(key) > len(holder):
        raise ConfigError(f"{setting}: {key!r} is not an index of a list of {len(holder)}; use at most {len(holder)}")
    index = int(key)
    before = holder[index] if index < len(holder) else None
    return [*holder[:index], _set_in(before, rest, value=value, setting=setting), *holder[index + 1 :]]
