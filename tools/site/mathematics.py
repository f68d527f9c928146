"""Formulas: what arithmatex marks as LaTeX becomes MathML, which browsers show without any script."""

import re
from html import unescape

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

BARS = re.compile(r"(?<!\\left)\\lVert|(?<!\\right)\\rVert")
"""Bars of a norm, which grow with what is between them only if both are marked as a pair."""
MARKED = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def render_formulas(html: str) -> str:
    """Replace each marked formula; one in a block of its own is displayed larger."""
    return MARKED.sub(_mathml, html)


def _mathml(marked: re.Match[str]) -> str:
    tag, opening, latex = marked.groups()
    paired = BARS.sub(lambda bar: rf"\left{bar[0]}" if "l" in bar[0] else rf"\right{bar[0]}", unescape(latex).strip())
    mathml = convert(paired, display="block" if opening == "[" else "inline")
    if "\\" in mathml:
        raise PluginError(f"formula {latex.strip()!r} has a command that latex2mathml does not know")
    return f'<{tag} class="formula">{mathml}</{tag}>'
