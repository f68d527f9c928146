"""What the documents say is true: their examples run, and their links lead somewhere."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from sparring.cli.main import main
from tests.source import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r'^```(\w*)(?: title="([\w.]+)")?$')
"""Opens or closes a block, which may be that of a file."""
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")

SHORT = 700
"""The most characters that the repr of an object of ours may have: nine lines of a screen."""


def is_ours(value: object) -> bool:
    """Say whether an example made this object of a class of Sparring's."""
    return type(value).__module__.startswith("sparring.")


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def script(page: Path) -> str:
    """Return the page's Python blocks, each line where it stands on the page, so that a traceback names it."""
    return block(page, "python")


def block(page: Path, language: str, title: str | None = None) -> str:
    """Return the page with nothing but its blocks of one language, and of one file if a title says so."""
    kept, inside = [], None
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = FENCE.match(line)
        if fence is not None:
            inside = fence.groups() if inside is None else None
        kept.append(line if inside == (language, title) and fence is None else "")
    return "\n".join(kept)


def write_files(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the page's files into a folder, and work there."""
    for title in re.findall(r'^```python title="([\w.]+)"$', page.read_text(encoding="utf-8"), re.MULTILINE):
        (folder / title).write_text(block(page, "python", title), encoding="utf-8")
        module = title.removesuffix(".py")
        monkeypatch.setitem(sys.modules, module, None)
        del sys.modules[module]
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize("page", [page for page in PAGES if script(page).strip()], ids=page_name)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    write_files(page, tmp_path, monkeypatch)
    example = tmp_path / f"example_of_{page.stem}.py"  # a name of its own: statistics.py would hide the library's
    example.write_text(script(page), encoding="utf-8")
    made = runpy.run_path(str(example))
    long = {name: len(repr(value)) for name, value in made.items() if is_ours(value) and len(repr(value)) > SHORT}
    assert not long, f"their reprs fill more than a few lines: {long}"


def test_the_example_of_the_readme_is_short():
    lines = [line for line in script(ROOT / "README.md").splitlines() if line.strip()]
    assert 0 < len(lines) <= 10


def test_the_commands_of_the_page_on_plug_ins_do_what_it_says(tmp_path, monkeypatch, capsys):
    page = ROOT / "docs" / "plugins.md"
    write_files(page, tmp_path, monkeypatch)
    commands = [shlex.split(line)[1:] for line in block(page, "sh").splitlines() if line]
    codes = [(words[0], main([*words, "--dry-run"] if words[0] == "run" else words)) for words in commands]
    assert codes == [("run", 0), ("list", 0), ("check-plugin", 0), ("check-plugin", 1)]
    printed = capsys.readouterr().out.splitlines()
    shown = [line for line in block(page, "").splitlines() if line]
    assert shown
    assert set(shown) <= set(printed)


def test_an_example_keeps_its_line_numbers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```sh\nmake\n```\n\n```python\nfirst = 1\n```\ntext\n```python\nsecond = first\n```\n")
    lines = script(page).splitlines()
    assert {number: line for number, line in enumerate(lines, 1) if line} == {8: "first = 1", 12: "second = first"}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_the_links_of_a_page_lead_somewhere(page):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken, f"{page.relative_to(ROOT)} links to what is not there: {', '.join(broken)}"
