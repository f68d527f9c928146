"""Everything can be read, in light and in dark: the contrast that WCAG 2 asks for."""

import re
from importlib.resources import files

import pytest

from sparring.experiments.report.svg_curves import COLORS, DASHES

STYLE = (files("sparring.experiments.report") / "templates" / "page.css").read_text(encoding="utf-8")
TEXT, GRAPHICS = 4.5, 3.0
"""The least contrast of text, and of lines."""


def colors(scheme):
    """Return the variables that a scheme sets."""
    light, dark = STYLE.split("prefers-color-scheme: dark", 1)
    block = light if scheme == "light" else dark.split("* {", 1)[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(color):
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_the_standard_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(scheme):
    found = colors(scheme)
    grounds = {"ink": ("paper", "shade", "good", "bad"), "quiet": ("paper", "shade"), "link": ("paper", "shade")}
    pairs = [(text, ground) for text, all_grounds in grounds.items() for ground in all_grounds]
    faint = [pair for pair in pairs if contrast(found[pair[0]], found[pair[1]]) < TEXT]
    assert faint == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_can_be_seen_and_told_apart(scheme):
    found = colors(scheme)
    lines = [found[f"line-{place}"] for place in range(COLORS)]
    assert len(set(lines)) == COLORS
    assert min(contrast(line, found["paper"]) for line in lines) >= GRAPHICS


def test_every_dash_has_a_style():
    dashed = re.findall(r"\.d(\d) \{ stroke-dasharray: ([\d ]+);", STYLE)
    assert [int(place) for place, _ in dashed] == list(range(1, DASHES))
    assert len({dashes for _, dashes in dashed}) == DASHES - 1
