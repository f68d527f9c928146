"""The reference of the Python API: every public package, and every name that it exports."""

import ast
from importlib import import_module

import pytest

from tools.site.api import PACKAGES, SOURCE, find_exports, read_exports, write_api_pages

PAGES = dict(write_api_pages())


def test_every_package_but_the_command_line_has_a_page():
    packages = {path.parent.name for path in (SOURCE / "sparring").glob("*/__init__.py")}
    assert {*PACKAGES} == (packages - {"cli"}) | {"contracts"}
    assert all(f"reference/api/{package}.md" in PAGES for package in PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_page_names_all_that_its_package_exports(package):
    names = getattr(import_module(f"sparring.{package}"), "__all__", [])
    page = PAGES[f"reference/api/{package}.md"]
    assert page.startswith(f"# `sparring.{package}`\n")
    assert not names or f"members: [{', '.join(names)}]" in page


@pytest.mark.parametrize("package", PACKAGES)
def test_a_page_documents_something(package):
    assert "\n::: sparring." in PAGES[f"reference/api/{package}.md"]


def test_a_package_without_exports_documents_its_modules():
    modules = [module.name for module in find_exports(SOURCE / "sparring" / "learning")]
    assert "sparring.learning.evaluation" in modules
    assert "sparring.learning.sb3" in modules
    assert "sparring.learning.sb3.ppo" not in modules, "what a package with exports leaves out is its own affair"


def test_exports_are_read_from_the_source():
    assert read_exports(ast.parse('__all__ = ["Krum", "krum"]')) == ("Krum", "krum")
    assert read_exports(ast.parse("names = []")) is None
