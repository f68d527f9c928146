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


def test_a_block_has_an_element_for_each_of_its_parts():
    shown = page("$$u = v, \\quad v = w$$")
    assert shown.count("<math ") == 2
    assert page("It is $u = v, \\quad v = w$.").count("<math ") == 1


def test_a_norm_has_a_pair_of_bars_that_grow_together():
    shown = page("It is $\\lVert u \\rVert$.")
    assert shown.count('stretchy="true"') == 2
    assert 'form="prefix"' in shown
    assert 'form="postfix"' in shown


def test_functions_are_set_apart():
    assert page("It is $O(d \\log n)$.").count("<mspace ") == 2
    assert page("It is $a \\cos(u, v)$.").count("<mspace ") == 1


def test_limits_of_a_block_stand_below_and_above():
    assert "<munderover>" in page("$$\\left(\\sum_{i=1}^n u_i\\right)$$")
    assert "<munder>" in page("$$\\max_i u_i$$")
    assert "<munder>" not in page("It is $\\max_i u_i$.")


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
