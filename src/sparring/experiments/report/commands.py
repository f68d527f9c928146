"""The command that repeats a run."""

import json
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from sparring.experiments.config.parse import to_document
from sparring.experiments.config.yaml_reader import parse_value
from sparring.experiments.runs.manifest import Manifest


def command_to_repeat(about: Manifest) -> str:
    """Return the command that repeats a run, with every setting written out."""
    plugins = (f"--plugin {quote(module)}" for module in about.plugins)
    return " ".join(["sparring run", *plugins, *map(quote, list_settings(to_document(about.config)))])


def list_settings(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield every setting of a document as `section.key=value`; `apply_overrides` restores the document from them."""
    for key, value in document.items():
        yield from _list_settings(key, value)


def _list_settings(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        value = {str(index): each for index, each in enumerate(value)} or []
    if not isinstance(value, Mapping) or not value:
        yield f"{path}={_format_value(value)}"
        return
    for key, each in value.items():
        yield from _list_settings(f"{path}.{key}", each)


def _format_value(value: Any) -> str:
    """Format a value in YAML: text is quoted only if it would otherwise be parsed as something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = value.replace("_", "").isalnum() and parse_value("", value) == value
    return value if is_plain else f'"{"".join(map(_escape, value))}"'


def _escape(character: str) -> str:
    is_safe = character.isprintable() and character not in '"\\'
    return character if is_safe else f"\\U{ord(character):08x}"
