"""The papers that classes name: most are in docs/papers.md, any other is added to it from its class."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sparring.experiments.config.catalogues import CATALOGUES
from sparring.kinds import stated_facts
from sparring.registry import lookup

FILE = Path(__file__).parents[2] / "docs" / "papers.md"
HEADING = "\n## "
PAPER = re.compile(r"(?:after )?(?P<key>.+?, (?:19|20)\d\d), (?P<title>.+), (?P<venue>[^,]+)")


class Paper(NamedTuple):
    """A paper as a class names it; its key, such as `Doe et al., 2026`, is what other pages call it."""

    key: str
    title: str
    venue: str


def named(source: str) -> list[Paper]:
    """Return the papers of a fact `paper`."""
    found = (PAPER.fullmatch(each) for each in source.split("; "))
    return [Paper(*each.groups()) for each in found if each]


@cache
def listed() -> tuple[str, ...]:
    """Return the papers of the written list: its headings."""
    return tuple(re.findall(r"^## (.+)$", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE))


@cache
def papers() -> tuple[str, ...]:
    """Return the keys of all papers that are cited."""
    return tuple(sorted({*listed(), *(paper.key for paper in _of_classes())}))


def with_unlisted(markdown: str) -> str:
    """Add to the written list what it lacks, in its order."""
    new = {paper.key: paper for paper in _of_classes() if paper.key not in listed()}
    head, *entries = markdown.rstrip().split(HEADING)
    entries += [f"{paper.key}\n\n*{paper.title}.* {paper.venue}.\n" for paper in new.values()]
    return HEADING.join([head, *sorted(entries)])


def _of_classes() -> Iterable[Paper]:
    classes = {lookup(kind, CATALOGUES[kind], name) for kind in CATALOGUES for name in CATALOGUES[kind]}
    return (paper for cls in classes for paper in named(stated_facts(cls).paper))
