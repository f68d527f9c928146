"""What a shell completes: commands, keys and the names in catalogues, all without importing what they stand for.

The names are read from the source: the tables are literal, and importing them would take seconds at every key.
"""

import ast
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import click
import typer

import sparring
from sparring.kinds import KINDS as SECTIONS

NAME = "sparring"
HERE = Path(sparring.__file__).parent

Tables = Mapping[str, Sequence[str]]
"""Files, and the names of tables in each."""

TABLES: Mapping[str, Tables] = {
    "attack": {"attacks/__init__.py": ("ATTACKS",)},
    "attack.trigger": {"attacks/__init__.py": ("TRIGGERS",)},
    "data": {"data/__init__.py": ("DATASETS",)},
    "data.partition": {"data/__init__.py": ("PARTITIONS",)},
    "defense": {"defenses/__init__.py": ("DEFENSES",)},
    "execution.backend": {"training/backends/__init__.py": ("BACKENDS",)},
    "model": {"models/__init__.py": ("MODELS",)},
    "post_training": {"defenses/__init__.py": ("POST_TRAINING",), "experiments/config/catalogues.py": ("INVERTING",)},
}
"""Where the names stand that a key may have."""
SETTINGS = {
    "attack": "AttackerSettings",
    "data": "DataSettings",
    "evaluation": "EvaluationSettings",
    "execution": "ExecutionSettings",
    "federation": "FederationSettings",
    "threat": "ThreatSettings",
}
"""The classes that say which keys a section has."""
PRESETS: Tables = {"experiments/reproductions/__init__.py": ("PRESETS", "CALCULATIONS")}
KINDS: Tables = {"experiments/config/catalogues.py": ("CATALOGUES",)}


def is_completing() -> bool:
    """Say whether it is a shell that asks."""
    return f"_{NAME.upper()}_COMPLETE" in os.environ


def completed() -> list[str]:
    """Return the words that a shell asks to complete, the last as far as it is written; none if no shell asks."""
    if not is_completing():
        return []
    text = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation that is still open
        words = text.split()
    return [*words[1:], *([""] if text.endswith((" ", "\n")) else [])] or [""]


def keys() -> list[str]:
    """Return every key of a configuration, as in `federation.rounds`."""
    classes = {node.name: node for node in _parsed("experiments/config/schema.py") if isinstance(node, ast.ClassDef)}
    inner = [f"{section}.{key}" for section, name in SETTINGS.items() for key in _fields(classes[name])]
    return sorted({"seed", *TABLES, *inner} - {"attack.member", "data.member"})


def names(places: Tables) -> Iterator[str]:
    """Yield the names in tables."""
    for node, tables in ((node, tables) for file, tables in places.items() for node in _parsed(file)):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(isinstance(each, ast.Name) and each.id in tables for each in targets):
            table = next(each for each in ast.walk(node) if isinstance(each, ast.Dict))
            yield from (str(key.value) for key in table.keys if isinstance(key, ast.Constant))


def _parsed(file: str) -> Iterable[ast.stmt]:
    return ast.parse((HERE / file).read_text(encoding="utf-8")).body


def _fields(cls: ast.ClassDef) -> Iterator[str]:
    for node in cls.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _setting(ctx: click.Context, incomplete: str) -> list[str]:
    """Complete `section.key=value`; bash hands over the parts before and behind the sign one by one."""
    before = [*(ctx.params.get("words") or ())]
    if incomplete == "=" and before:
        return _values(before[-1])
    if len(before) > 1 and before[-1] == "=":
        return [value for value in _values(before[-2]) if value.startswith(incomplete)]
    key, sign, _ = incomplete.partition("=")
    offered = [f"{key}={value}" for value in _values(key)] if sign else [f"{each}=" for each in keys()]
    return [each for each in offered if each.startswith(incomplete)]


def _values(key: str) -> list[str]:
    where = TABLES.get(key.removesuffix(".name"))
    return sorted(names(where)) if where else []


def _settings(words: Annotated[list[str] | None, typer.Argument(autocompletion=_setting)] = None) -> None:
    """Stand for a command that takes settings."""


def _preset(ctx: click.Context, incomplete: str) -> list[str]:
    return [name for name in names(PRESETS) if name.startswith(incomplete)]


def _presets(name: Annotated[str, typer.Argument(autocompletion=_preset)]) -> None:
    """Stand for a command that takes a preset."""


def _kind(ctx: click.Context, incomplete: str) -> list[str]:
    members = (name for kind in _kinds() for name in _members(kind))
    return [name for name in dict.fromkeys((*_kinds(), *members)) if name.startswith(incomplete)]


def _member(ctx: click.Context, incomplete: str) -> list[str]:
    return [name for name in _members(str(ctx.params.get("kind"))) if name.startswith(incomplete)]


def _kinds() -> list[str]:
    return [*names(KINDS), "presets"]


def _members(kind: str) -> Iterator[str]:
    """Yield the names of a kind."""
    if kind == "presets":
        return names(PRESETS)
    section = SECTIONS[kind].section if kind in SECTIONS else "execution.backend"
    return names(TABLES[section] if kind in names(KINDS) else {})


def _listed(
    kind: Annotated[str, typer.Argument(autocompletion=_kind)],
    name: Annotated[str | None, typer.Argument(autocompletion=_member)] = None,
) -> None:
    """Stand for the command that lists."""


COMPLETED: Mapping[str, Callable[..., Any]] = {
    "audit": _settings,
    "list": _listed,
    "reproduce": _presets,
    "run": _settings,
    "sweep": _settings,
}
"""What stands for a command while its words are completed, but for options."""
