"""`[CONFIG.yaml] [SECTION.KEY=VALUE]...`: what a command line says in the place of a document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.errors import ConfigError
from sparring.experiments import CATALOGUES, apply_overrides, read_document
from sparring.experiments.config.parse import full_key
from sparring.kinds import KINDS
from sparring.registry import spelled

SUFFIXES = (".yaml", ".yml")

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CONFIG.yaml] [SECTION.KEY=VALUE]...", help="A file, and settings that go before it."),
]


def document_of(words: Sequence[str]) -> dict[str, Any]:
    """Return the document of at most one file, with the settings that stand beside it."""
    files = [word for word in words if _is_file(word)]
    for word in files:
        meant = _meant(word, words)
        if meant is not None and not Path(word).exists():
            raise ConfigError(f"{word!r} is no file; write {meant}")
    if len(files) > 1:
        raise ConfigError(f"{files[1]!r} is no setting; write section.key=value, and at most one configuration file")
    document = read_document(Path(files[0])) if files else {}
    return apply_overrides(document, [word for word in words if not _is_file(word)])


def _meant(word: str, words: Sequence[str]) -> str | None:
    """Return the setting that a word stands for that is a key, or the name of something, alone."""
    place = words.index(word) + 1
    following = next(iter(words[place:]), "")
    key = word if "." in word and not word.endswith(SUFFIXES) else full_key(word)
    if key is not None and following and "=" not in following:
        return f"{key}={following}"
    for kind, (section, _) in KINDS.items():
        if spelled(word) in CATALOGUES[kind]:
            return f"{section}={spelled(word)}"
    return f"{key}=VALUE" if key is not None and key == full_key(key.rpartition(".")[2]) else None


def _is_file(word: str) -> bool:
    return "=" not in word or word.endswith(SUFFIXES)
