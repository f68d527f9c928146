"""What the code says about each attack, trigger and rule: names, paper, sentences, options and formulas."""

import ast
import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc, getdoc, getsource
from sys import modules
from typing import NamedTuple

from sparring.experiments.config.catalogues import CATALOGUES, Option, list_members
from sparring.kinds import stated_facts
from sparring.registry import lookup

YEAR = re.compile(r"\b(?:19|20)\d\d\b")
SOURCE = re.compile(rf"\(([^()]*{YEAR.pattern}[^()]*)\)")


class Formula(NamedTuple):
    """A public function of a member's module: its signature, and what its docstring says."""

    signature: str
    description: str


class Member(NamedTuple):
    """An attack, a trigger or a rule; `kind` is its catalogue, and the first of its names is its page's."""

    kind: str
    names: Sequence[str]
    cls: type
    title: str
    source: str
    """The papers that its class names."""
    tagline: str
    description: str
    """Paragraphs: the rest of the module's docstring, then the class's."""
    options: Sequence[Option]
    formulas: Sequence[Formula]

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def is_rule(self) -> bool:
        return self.kind == "defenses"

    @property
    def is_trigger(self) -> bool:
        return self.kind == "triggers"

    @property
    def needs_file(self) -> bool:
        """Whether it is played from the file of something that was trained."""
        return any(option.required and option.type == "str" for option in self.options)

    @property
    def crafts(self) -> bool:
        """Whether it is an attack that crafts updates, and does not poison data alone."""
        return hasattr(self.cls, "craft")

    @property
    def is_backdoor(self) -> bool:
        return hasattr(self.cls, "triggered")


def members(*kinds: str) -> list[Member]:
    """Return the members of these catalogues by name, one for each class."""
    return sorted((member for kind in kinds for member in _members(kind)), key=lambda member: member.name)


def _members(kind: str) -> Iterator[Member]:
    names: dict[type, list[str]] = {}
    for name in CATALOGUES[kind]:
        names.setdefault(lookup(kind, CATALOGUES[kind], name), []).append(name)
    options = {entry.name: entry.options for entry in list_members(kind)}
    for cls, each in names.items():
        stem = cls.__module__.rpartition(".")[2]
        ordered = sorted(each, key=lambda name: (name != stem, name))
        yield _member(kind, ordered, cls, options[ordered[0]])


def _member(kind: str, names: Sequence[str], cls: type, options: Sequence[Option]) -> Member:
    tree = ast.parse(getsource(modules[cls.__module__]))
    headline, _, rest = (ast.get_docstring(tree) or cls.__name__).partition("\n\n")
    title, _, tagline = parted(" ".join(headline.split()))
    description = "\n\n".join(filter(None, [rest, getdoc(cls)]))
    return Member(
        kind=kind,
        names=names,
        cls=cls,
        title=title,
        source=stated_facts(cls).paper,
        tagline=tagline,
        description=description,
        options=options,
        formulas=formulas(tree),
    )


def parted(headline: str) -> tuple[str, str, str]:
    """Part a module's first line into the member's title, its source and what is said of it.

    The title ends at a parenthesis or a colon; where there is neither, at a comma.
    """
    separator = r" \(|: " if re.search(r" \(|: ", headline) else ", "
    title = re.split(separator, headline, maxsplit=1)[0].rstrip(".")
    source = SOURCE.search(headline)
    said = headline.removeprefix(title).replace(source[0] if source else "", "", 1).strip(" ,:.")
    return title, source[1] if source else "", said[:1].upper() + said[1:]


def formulas(tree: ast.Module) -> list[Formula]:
    """Return the public functions of a module that return something, in its order."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return [
        Formula(
            f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}",
            cleandoc(ast.get_docstring(node) or ""),
        )
        for node in functions
        if node.returns is not None and ast.unparse(node.returns) != "None"
    ]
