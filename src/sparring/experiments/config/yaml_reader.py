"""Read a configuration: the subset of YAML 1.2 for plain data, without tags, anchors and aliases.

PyYAML parses the events. Values are constructed here, since PyYAML's constructors follow YAML 1.1 (`1e-3` is text,
`1:30` is 90 and `no` is false), expand aliases and accept duplicate keys.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from sparring.errors import ConfigError

LARGEST_FILE = 1 << 20
"""Bytes."""
LONGEST_SCALAR = 1000
"""Characters."""
DEEPEST = 16
"""The maximum nesting of sections and lists."""
LARGEST_INTEGER = (1 << 63) - 1

CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda digits: int(digits, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda digits: int(digits, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda word: float(word.replace(".", ""))),
)
"""The number formats of YAML 1.2's core schema."""

Nodes = Iterator[yaml.Event]


def read_document(path: Path) -> dict[str, Any]:
    """Return the sections of a configuration file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: {str(error.strerror).lower()}; give a configuration file, or settings as section.key=value"
        ) from None
    if len(content) > LARGEST_FILE:
        raise ConfigError(f"{path}: more than {LARGEST_FILE} bytes; a configuration is smaller")
    try:
        return parse_document(str(path), content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None


def parse_document(source: str, text: str) -> dict[str, Any]:
    """Return the sections of a configuration; `source` names it in errors."""
    value = parse_value(source, text)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: a {type(value).__name__} at the top; write sections, as in `seed: 0`")
    return value


def parse_value(source: str, text: str) -> Any:
    """Parse a text into null, a boolean, a number, text, a list or a section."""
    try:
        nodes = _plain_nodes(yaml.parse(text, Loader=yaml.SafeLoader))
        first = next(nodes, None)
        value = None if first is None else _read_value(first, nodes)
        for extra in nodes:
            raise _make_error(extra, "a second document; write one")
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(f"{source}: {line}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: {str(error).splitlines()[0]}") from None
    return value


def _make_error(node: yaml.Event, message: str) -> yaml.MarkedYAMLError:
    mark: Any = node.start_mark  # typed as a union, of which errors accept one
    return yaml.MarkedYAMLError(problem=message, problem_mark=mark)


def _plain_nodes(events: Iterator[yaml.Event]) -> Nodes:
    """Yield the nodes of a document; anything other than plain data is rejected before it is read."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _make_error(event, "an anchor or alias; write the value out")
        if getattr(event, "tag", None) is not None:
            raise _make_error(event, "a tag; write plain text, numbers, lists and sections")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _make_error(event, f"more than {DEEPEST} nested sections or lists; use fewer")
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event


def _read_value(node: yaml.Event, nodes: Nodes) -> Any:
    if isinstance(node, yaml.SequenceStartEvent):
        return [_read_value(each, nodes) for each in takewhile(_is_inside, nodes)]
    if isinstance(node, yaml.MappingStartEvent):
        return _read_section(nodes)
    assert isinstance(node, yaml.ScalarEvent)
    return _read_scalar(node)


def _is_inside(node: yaml.Event) -> bool:
    return not isinstance(node, yaml.CollectionEndEvent)


def _read_section(nodes: Nodes) -> dict[str, Any]:
    section: dict[str, Any] = {}
    for node in takewhile(_is_inside, nodes):
        key = _read_value(node, nodes)
        if not isinstance(key, str):
            raise _make_error(node, f"{key!r} as a key; keys must be text")
        if key in section:
            raise _make_error(node, f"{key!r} occurs twice; write it once")
        section[key] = _read_value(next(nodes), nodes)
    return section


def _read_scalar(node: yaml.ScalarEvent) -> Any:
    text = node.value
    if len(text) > LONGEST_SCALAR:
        raise _make_error(node, f"a value of {len(text)} characters; use at most {LONGEST_SCALAR}")
    if node.style is not None:
        return text
    if text in CONSTANTS:
        return CONSTANTS[text]
    number = next((read(text) for pattern, read in NUMBERS if pattern.fullmatch(text)), None)
    if number is None:
        return text
    is_usable = isfinite(number) if isinstance(number, float) else abs(number) <= LARGEST_INTEGER
    if not is_usable:
        raise _make_error(node, f"{text[:20]} is too large or not finite; use another number")
    return number
