"""Formulas on the site: LaTeX in the source, MathML in the page."""

import pytest
from markdown import markdown
from mkdocs.exceptions import PluginError

from tools.site.mathematics import render_formulas
from tools.site.members import members

EXTENSIONS = {"extensions": ["pymdownx.arithmatex"], "extension_configs": {"pymdownx.arithmatex": {"generic": True}}}


def page(text):
    return render_formulas(markdown(text, **EXTENSIONS))


def test_a_formula_within_a_line_is_mathml():
    shown = page("The mean $x < 1$ of all.")
    assert shown.startswith('<p>The mean <span class="formula"><math xmlns=')
    assert "<mo>&#x0003C;</mo>" in shown
    assert "$" not in shown


def test_a_formula_of_its_own_is_a_block():
    shown = page("One:\n\n$$\\sum_{i=1}^n u_i$$\n\nTwo.")
    assert '<div class="formula"><math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in shown
    assert "<p>Two.</p>" in shown


def test_all_else_stays_as_it_is():
    text = "A price of 5 $ and 6 $, and `$x$`."
    assert page(text) == markdown(text, **EXTENSIONS)


def test_a_command_that_is_not_known_is_refused():
    with pytest.raises(PluginError, match="unheard.* has a command that latex2mathml does not know"):
        page("It is $\\unheard{x}$.")


@pytest.mark.parametrize("rule", members("defenses"), ids=lambda rule: rule.name)
def test_every_rule_states_its_formula(rule):
    shown = page(rule.description)
    assert '<div class="formula"><math' in shown
    assert "$" not in shown
