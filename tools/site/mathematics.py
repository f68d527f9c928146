"""Formulas: what arithmatex marks as LaTeX becomes MathML, which browsers show without any script."""

import re
from html import unescape

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

BARS = re.compile(r"(?<!\\left)\\lVert|(?<!\\right)\\rVert")
"""Bars of a norm, which grow with what is between them only if both are marked as a pair."""
PART = re.compile(r"\\quad")
"""Separates the parts of a displayed formula."""
NAMED = re.compile(r"\\(?:log|ln|cos)\b(?P<alone>(?! ?\())?")
"""A function, which browsers put close to its neighbors; alone, it has no parentheses."""
LIMITED = re.compile(r"\\(?:sum|min|max)(?=[_^])")
"""An operator with limits, which stand below and above it in a displayed formula."""
MARKED = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def render_formulas(html: str) -> str:
    """Replace each marked formula; one in a block of its own is displayed larger."""
    return MARKED.sub(_mathml, html)


def _mathml(marked: re.Match[str]) -> str:
    """Write a formula as an element of MathML for each part, so that a narrow page can break it between them."""
    tag, opening, latex = marked.groups()
    parts = PART.split(unescape(latex)) if opening == "[" else [unescape(latex)]
    written = "".join(_convert(part.strip(), display="block" if opening == "[" else "inline") for part in parts)
    return f'<{tag} class="formula">{written}</{tag}>'


def _convert(latex: str, *, display: str) -> str:
    paired = BARS.sub(lambda bar: (r"\left" if bar[0] == r"\lVert" else r"\right") + bar[0], latex)
    spaced = NAMED.sub(lambda name: rf"\, {name[0]}" + ("" if name["alone"] is None else r" \,"), paired)
    limited = LIMITED.sub(r"\g<0>\\limits", spaced) if display == "block" else spaced
    mathml = convert(limited, display=display)
    if "\\" in mathml:
        raise PluginError(f"formula {latex!r} has a command that latex2mathml does not know")
    return mathml
