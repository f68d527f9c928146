"""The reference of the Python API: a page for each public package, with what its modules export."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.site.repository import ROOT

SOURCE = ROOT / "src"
PACKAGES = (
    "contracts",
    "attacks",
    "defenses",
    "policies",
    "data",
    "models",
    "training",
    "federation",
    "games",
    "learning",
    "inversion",
    "generation",
    "conformance",
    "experiments",
    "integrations",
)
"""What is public, in the order of the menu."""
TOP = 2
"""The level of the headings of what a package itself exports."""
INTRODUCTION = """# Python API

Each page lists what its package exports. What a name exports for use elsewhere is in the package's `__all__`; a module
without one exports every name that it defines and that does not begin with an underscore.

"""
REFERENCE = """# Reference

- [Configuration keys](keys.md): every key of a configuration file, with type, default and meaning.
- [Python API](api/index.md): every class and function that a package exports.
- [Command line](../runs.md#the-command-line): `sparring --help` and `sparring COMMAND --help` print all options.
- [Papers](../papers.md): the papers that attacks, rules, data sets and models come from.
"""


class Module(NamedTuple):
    """A module that a page documents, with the names that it exports; none means all public ones that it defines."""

    name: str
    sentence: str
    names: tuple[str, ...] | None


def write_api_pages() -> Iterator[tuple[str, str]]:
    """Return each page of the reference of packages with its file, and the page that leads to all references."""
    yield "reference/index.md", REFERENCE
    pages = {package: list(find_exports(SOURCE / "sparring" / package)) for package in PACKAGES}
    rows = "".join(f"| [`sparring.{name}`]({name}.md) | {modules[0].sentence} |\n" for name, modules in pages.items())
    yield "reference/api/index.md", f"{INTRODUCTION}| package | what it holds |\n| --- | --- |\n{rows}"
    for package, modules in pages.items():
        yield f"reference/api/{package}.md", _page(f"sparring.{package}", modules)


def find_exports(path: Path) -> Iterator[Module]:
    """Return the modules that export something: a package first, then those below it.

    What a package with an `__all__` leaves out is its own affair, unless it is a package with an `__all__` as well.
    """
    is_package = path.is_dir()
    tree = ast.parse((path / "__init__.py" if is_package else path.with_suffix(".py")).read_text(encoding="utf-8"))
    names, sentence = read_exports(tree), (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    yield Module(_dotted(path), sentence, names if names is not None or not is_package else ())
    if is_package:
        for below in sorted(path.iterdir()):
            yield from _exporting_below(below, is_open=names is None)


def _exporting_below(path: Path, *, is_open: bool) -> Iterator[Module]:
    """Return what a part of a package exports; only parts of an open one need no `__all__`."""
    if path.suffix == ".py" and not path.stem.startswith("_") and is_open:
        yield from find_exports(path.with_suffix(""))
    if (path / "__init__.py").is_file():
        modules = list(find_exports(path))
        yield from modules if is_open else (module for module in modules if module.names)


def read_exports(tree: ast.Module) -> tuple[str, ...] | None:
    """Return a module's `__all__`, None if it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets
        ):
            return tuple(ast.literal_eval(node.value))
    return None


def _page(title: str, modules: list[Module]) -> str:
    """Return the page of a package: its own exports first, then those of its modules, each under its name."""
    head, *below = modules
    parts = [f"# `{title}`", _directive(head, level=TOP)]
    for module in below:
        parts += [f"## `{module.name}`" if module.names != () else "", _directive(module, level=TOP + 1)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _directive(module: Module, *, level: int) -> str:
    """Return what mkdocstrings replaces by a module's docstring and exports; without exports, the docstring alone."""
    if module.names == ():
        return module.sentence if level == TOP else ""
    members = "" if module.names is None else f"\n      members: [{', '.join(module.names)}]"
    return f"::: {module.name}\n    options:\n      heading_level: {level}{members}"


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).parts)
