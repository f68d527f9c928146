"""Every formula in the documentation and in docstrings can be rendered."""

import ast
import re
from pathlib import Path

import pytest

from tools.site.mathematics import render_formulas

DISPLAYED, INLINE = re.compile(r"\$\$(.+?)\$\$", re.DOTALL), re.compile(r"(?<!\$)\$([^$\n]+?)\$(?!\$)")


def formulas(text):
    return [*DISPLAYED.findall(text), *INLINE.findall(DISPLAYED.sub("", text))]


def docstrings(path):
    found = ast.walk(ast.parse(path.read_text()))
    return "\n".join(node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str))


PAGES = {path: path.read_text() for path in sorted(Path("docs").rglob("*.md"))}
MODULES = {path: docstrings(path) for path in sorted(Path("src").rglob("*.py")) if "$$" in path.read_text()}
WRITTEN = {path: formulas(text) for path, text in {**PAGES, **MODULES}.items() if formulas(text)}


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_every_formula_is_rendered(path):
    for formula in WRITTEN[path]:
        assert "<math" in render_formulas(f'<span class="arithmatex">\\({formula}\\)</span>')


def test_a_formula_that_cannot_be_rendered_is_found():
    with pytest.raises(Exception, match=r"command that latex2mathml does not know"):
        render_formulas('<span class="arithmatex">\\(\\arg x\\)</span>')
    assert formulas("a $x^2$ and $$y$$") == ["y", "x^2"]
