"""The project's own Python files, parsed, for the tests that read them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """A file: its path from the root, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name under which the package's files are imported."""
        parts = self.path.with_suffix("").parts[1:]
        return ".".join(parts).removesuffix(".__init__")

    def at(self, line: int) -> str:
        """Name a line of the file as editors do."""
        return f"{self.path}:{line}"

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Parse every Python file below `folders`, in order; a folder that is not there has none."""
    return tuple(_parse(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


def _parse(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT), text, ast.parse(text))


def parameters(function: Function) -> list[str]:
    """Return the names of all that a caller may pass."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    collected = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return [each.arg for each in (*named, *collected) if each.arg not in ("self", "cls")]


def length(node: Function) -> int:
    """Return the number of lines from `def` to the last of the body."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1
