"""Settings from the command line, `section.key=value`, put into a configuration."""

from collections.abc import Iterable, Mapping
from typing import Any

from sparring.errors import ConfigError
from sparring.experiments.config.yaml_reader import DEEPEST, parse_value


def apply_overrides(document: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return the document with each setting in place, in order; the document itself is left alone."""
    changed = dict(document)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not _is_path(path):
            raise ConfigError(f"{setting!r} is no setting; write section.key=value, as in federation.rounds=100")
        changed = _placed(changed, path.split("."), value=parse_value(setting, text), setting=setting)
    return changed


def set_value(document: Mapping[str, Any], path: str, *, value: Any) -> dict[str, Any]:
    """Return the document with a value where `section.key` leads; the document itself is left alone."""
    if not _is_path(path):
        raise ConfigError(f"{path!r} is no key; write section.key, as in federation.rounds")
    changed: dict[str, Any] = _placed(document, path.split("."), value=value, setting=path)
    return changed


def _is_path(path: str) -> bool:
    keys = path.split(".")
    return all(keys) and len(keys) <= DEEPEST


def _placed(holder: Any, keys: list[str], *, value: Any, setting: str) -> Any:
    """Return a copy of a section or list in which `keys` lead to `value`.

    In the place of a section a text is its name: `defense=krum` sets `defense.name`.
    """
    if not keys:
        is_name = isinstance(value, str) and isinstance(holder, Mapping)
        return {**holder, "name": value} if is_name else value
    if isinstance(holder, str):
        holder = {"name": holder}
    key, *rest = keys
    if isinstance(holder, list):
        return _placed_in_list(holder, keys, value=value, setting=setting)
    if holder is None and key.isdecimal():
        return _placed_in_list([], keys, value=value, setting=setting)
    if holder is not None and not isinstance(holder, Mapping):
        raise ConfigError(f"{setting}: {key!r} lies in no section, but in {holder!r}; set the section first")
    section = dict(holder or {})
    return section | {key: _placed(section.get(key), rest, value=value, setting=setting)}


def _placed_in_list(holder: list[Any], keys: list[str], *, value: Any, setting: str) -> list[Any]:
    """Change an item, or add one at the end."""
    key, *rest = keys
    if not key.isascii() or not key.isdecimal() or int(key) > len(holder):
        raise ConfigError(f"{setting}: {key!r} is no place in a list of {len(holder)}; use at most {len(holder)}")
    place = int(key)
    before = holder[place] if place < len(holder) else None
    return [*holder[:place], _placed(before, rest, value=value, setting=setting), *holder[place + 1 :]]
