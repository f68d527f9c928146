"""What mkdocs calls: the generated pages, their pictures and the files from beside docs/ join the site's own."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.site.api import write_api_pages
from tools.site.cache import draw_once
from tools.site.decisions import insert_measurements
from tools.site.example_files import write_example_pages
from tools.site.examples import player
from tools.site.keys import write_keys_page
from tools.site.mathematics import render_formulas
from tools.site.members import Member, members
from tools.site.pages import attacks_table, page, rules_table, triggers_table
from tools.site.papers import FILE, with_unlisted
from tools.site.pictures import draw_attack, draw_influence, draw_reach
from tools.site.repository import ROOT, SHOWN, relinked
from tools.site.stamps import draw_backdoor, draw_trigger

FOLDERS = {"attacks": ("attacks",), "triggers": ("triggers",), "rules": ("defenses",)}
"""The site's folders, and the catalogues that fill them."""
TABLES = {"attacks": attacks_table, "triggers": triggers_table, "rules": rules_table}
MARKER = "<!-- the table -->"
"""Where in a folder's index its table goes."""
REST = "/*"
"""Ends an entry of the navigation that stands for all pages of a folder."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/."""
    contents: dict[str, str | bytes] = dict(_gallery()) | dict(write_api_pages()) | dict(write_example_pages())
    contents |= {shown: (ROOT / file).read_bytes() for file, shown in SHOWN.items()}
    contents["reference/keys.md"] = write_keys_page()
    for place, content in contents.items():
        files.append(File.generated(config, place, content=content))
    config.nav = _unfolded(config.nav, files)
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Put in the table of the page's folder, and lead links to where files are in the site."""
    place = page.file.src_uri
    folder = place.removesuffix("/index.md")
    if folder in FOLDERS:
        markdown = markdown.replace(MARKER, TABLES[folder](members(*FOLDERS[folder])))
    if place == FILE.name:
        markdown = with_unlisted(markdown)
    return relinked(insert_measurements(markdown), place)


def on_page_content(html: str, **_: object) -> str:
    """Make MathML of the page's formulas."""
    return render_formulas(html)


def _gallery() -> Iterator[tuple[str, str | bytes]]:
    for folder, kinds in FOLDERS.items():
        for member in members(*kinds):
            yield f"{folder}/{member.name}.md", page(member)
            for name, picture in draw_once(f"{folder}/{member.name}", partial(_drawn, member)).items():
                yield f"{folder}/pictures/{name}.png", picture


def _drawn(member: Member) -> dict[str, bytes]:
    """Draw a trigger and a backdoor on images, any other member on the plane, whose data have two classes."""
    if member.is_trigger:
        return {member.name: draw_trigger(player(member))}
    if member.is_backdoor:
        backdoor = player(member)
        return {member.name: draw_backdoor(backdoor.trigger, is_divided=member.name == "dba")}
    if member.needs_file:
        return {}
    drawn = player(member, classes=2)
    if member.is_rule:
        return {member.name: draw_influence(drawn), f"{member.name}-reach": draw_reach(drawn)}
    return {member.name: draw_attack(drawn) if member.crafts else draw_attack(None, drawn)}


def _unfolded(entry: Any, files: Files) -> Any:
    """Let an entry `folder/*` of the navigation list the folder's pages, its index first, at whatever depth it is."""
    if isinstance(entry, dict):
        ((title, below),) = entry.items()
        return {title: _pages(below, files) if isinstance(below, str) else _unfolded(below, files)}
    if isinstance(entry, list):
        listed = [_pages(each, files) if isinstance(each, str) else _unfolded(each, files) for each in entry]
        return [part for each in listed for part in (each if isinstance(each, list) else [each])]
    return entry


def _pages(place: str, files: Files) -> str | list[str]:
    """Return the pages of a folder that an entry stands for, or the page itself."""
    if not place.endswith(REST):
        return place
    folder = place.removesuffix("*")
    pages = [file.src_uri for file in files.documentation_pages() if file.src_uri.startswith(folder)]
    return sorted(pages, key=lambda each: (not each.endswith("/index.md"), each))
