"""`[CONFIG.yaml] [SECTION.KEY=VALUE]...`: what a command line says in the place of a document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.errors import ConfigError
from sparring.experiments import overridden, read_document

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CONFIG.yaml] [SECTION.KEY=VALUE]...", help="A file, and settings that go before it."),
]


def document_of(words: Sequence[str]) -> dict[str, Any]:
    """Return the document of at most one file, with the settings that stand beside it."""
    files = [word for word in words if _is_file(word)]
    if len(files) > 1:
        raise ConfigError(f"{files[1]!r} is no setting; write section.key=value, and at most one configuration file")
    document = read_document(Path(files[0])) if files else {}
    return overridden(document, [word for word in words if not _is_file(word)])


def _is_file(word: str) -> bool:
    return "=" not in word or word.endswith((".yaml", ".yml"))
