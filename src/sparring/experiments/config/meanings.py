"""What the source says about the fields of a class: the text below each of them."""

import ast
from collections.abc import Iterator
from inspect import getsource
from itertools import pairwise
from sys import modules


def option_meanings(cls: type) -> dict[str, str]:
    """Return the text below each field of a class, or of the class that it inherits the field from.

    A class whose source cannot be read has none.
    """
    found = (_written(each) for each in reversed(cls.__mro__) if each is not object)
    return {name: text for meanings in found for name, text in meanings.items()}


def _written(cls: type) -> dict[str, str]:
    try:
        tree = ast.parse(getsource(modules[cls.__module__]))
    except (KeyError, OSError, SyntaxError, TypeError):  # built in, or typed into an interpreter
        return {}
    return attribute_docstrings(tree, cls.__name__)


def attribute_docstrings(tree: ast.Module, cls: str) -> dict[str, str]:
    """Return the text below each field of a class that has one, on one line."""
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in _neighbors(tree, cls)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def _neighbors(tree: ast.Module, cls: str) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """Yield each statement of a class with the next one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == cls:
            yield from pairwise(node.body)
