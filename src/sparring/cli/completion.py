"""Shell completion of commands, configuration keys and catalogue names, without importing the catalogues.

The names are parsed from the source. The tables are literals, and importing them would take seconds at each key press.
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
"""The names of the tables in each source file."""

MEMBERS: Mapping[str, Tables] = {
    "attacks": {"attacks/__init__.py": ("ATTACKS",)},
    "perturbations": {"attacks/__init__.py": ("PERTURBATIONS",)},
    "purifications": {"defenses/__init__.py": ("PURIFICATIONS",)},
    "triggers": {"attacks/backdoor/triggers/names.py": ("TRIGGERS",)},
    "defenses": {"defenses/__init__.py": ("DEFENSES",)},
    "post-training": {"defenses/__init__.py": ("POST_TRAINING",), "experiments/config/catalogues.py": ("INVERTING",)},
    "datasets": {"data/__init__.py": ("DATASETS",)},
    "partitions": {"data/__init__.py": ("PARTITIONS",)},
    "models": {"models/__init__.py": ("MODELS",)},
    "backends": {"training/backends/__init__.py": ("BACKENDS",)},
}
"""The tables of each catalogue."""
NAMED: Mapping[str, str] = {kind: each.section for kind, each in SECTIONS.items()} | {"backends": "execution.backend"}
"""The key that names a member of each catalogue; two kinds of training share some."""
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "experiments/config/schema.py": {
        "attack": "AttackerSettings",
        "data": "DataSettings",
        "evaluation": "EvaluationSettings",
        "execution": "ExecutionSettings",
        "federation": "FederationSettings",
        "threat": "ThreatSettings",
    },
    "experiments/config/central_schema.py": {
        "data": "CentralDataSettings",
        "evaluation": "CentralEvaluationSettings",
        "execution": "CentralExecutionSettings",
        "threat": "CentralThreatSettings",
        "training": "TrainingSettings",
    },
}
"""The class that defines the keys of each section, by source file."""
TRAININGS = ("central", "federated")
"""The values of the key `kind`."""
PRESETS: Tables = {"experiments/reproductions/__init__.py": ("PRESETS", "CALCULATIONS")}
KINDS: Tables = {"experiments/config/catalogues.py": ("CATALOGUES",)}


def is_completing() -> bool:
    """Return whether a shell requests a completion."""
    return f"_{NAME.upper()}_COMPLETE" in os.environ


def read_words_to_complete() -> list[str]:
    """Return the words on the shell's command line, the last one partial; empty if no shell requests a completion."""
    if not is_completing():
        return []
    text = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation that is not closed yet
        words = text.split()
    return [*words[1:], *([""] if text.endswith((" ", "\n")) else [])] or [""]


def list_keys() -> list[str]:
    """Return every configuration key, such as `federation.rounds`."""
    found = {"seed", "kind", *NAMED.values()}
    for file, sections in SETTINGS.items():
        classes = {node.name: node for node in _parse(file) if isinstance(node, ast.ClassDef)}
        found |= {f"{section}.{key}" for section, name in sections.items() for key in _list_fields(classes[name])}
    return sorted(found - {"attack.member", "data.member"})


def list_names(sources: Tables) -> Iterator[str]:
    """Yield the names in tables."""
    for node, tables in ((node, tables) for file, tables in sources.items() for node in _parse(file)):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(isinstance(each, ast.Name) and each.id in tables for each in targets):
            table = next(each for each in ast.walk(node) if isinstance(each, ast.Dict))
            yield from (str(key.value) for key in table.keys if isinstance(key, ast.Constant))


def _parse(file: str) -> Iterable[ast.stmt]:
    return ast.parse((HERE / file).read_text(encoding="utf-8")).body


def _list_fields(cls: ast.ClassDef) -> Iterator[str]:
    for node in cls.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _complete_setting(ctx: click.Context, incomplete: str) -> list[str]:
    """Complete `section.key=value`; bash passes the key, the equals sign and the value as separate words."""
    before = [*(ctx.params.get("words") or ())]
    if incomplete == "=" and before:
        return _list_values(before[-1])
    if len(before) > 1 and before[-1] == "=":
        return [value for value in _list_values(before[-2]) if value.startswith(incomplete)]
    key, sign, _ = incomplete.partition("=")
    offered = [f"{key}={value}" for value in _list_values(key)] if sign else [f"{each}=" for each in list_keys()]
    return [each for each in offered if each.startswith(incomplete)]


def _list_values(key: str) -> list[str]:
    if key == "kind":
        return list(TRAININGS)
    kinds = [kind for kind, named in NAMED.items() if named == key.removesuffix(".name")]
    return sorted({name for kind in kinds for name in list_names(MEMBERS[kind])})


def _settings(words: Annotated[list[str] | None, typer.Argument(autocompletion=_complete_setting)] = None) -> None:
    """Replace a command that takes settings."""


def _complete_preset(ctx: click.Context, incomplete: str) -> list[str]:
    return [name for name in list_names(PRESETS) if name.startswith(incomplete)]


def _presets(name: Annotated[str, typer.Argument(autocompletion=_complete_preset)]) -> None:
    """Replace a command that takes a preset."""


def _complete_kind(ctx: click.Context, incomplete: str) -> list[str]:
    members = (name for kind in _kinds() for name in _members(kind))
    return [name for name in dict.fromkeys((*_kinds(), *members)) if name.startswith(incomplete)]


def _complete_member(ctx: click.Context, incomplete: str) -> list[str]:
    return [name for name in _members(str(ctx.params.get("kind"))) if name.startswith(incomplete)]


def _kinds() -> list[str]:
    return [*list_names(KINDS), "presets"]


def _members(kind: str) -> Iterator[str]:
    """Yield the names of a kind."""
    if kind == "presets":
        return list_names(PRESETS)
    return list_names(MEMBERS.get(kind, {}))


def _listed(
    kind: Annotated[str, typer.Argument(autocompletion=_complete_kind)],
    name: Annotated[str | None, typer.Argument(autocompletion=_complete_member)] = None,
) -> None:
    """Replace the command that lists."""


STAND_INS: Mapping[str, Callable[..., Any]] = {
    "audit": _settings,
    "list": _listed,
    "reproduce": _presets,
    "run": _settings,
    "sweep": _settings,
}
"""Lightweight replacements of commands during completion of arguments other than options."""
