"""What the pages of docs/results/ have measured, read from their tables."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from tools.site.repository import ROOT

RESULTS = ROOT / "docs" / "results"
CLEAN = "none"
"""The column without an attack."""
NUMBER = re.compile(r"\d*\.\d+")
PRINTED = re.compile(r"^(\S.*?) {2,}(\S.*?) {2,}\S.*? +(\d*\.\d+)(?: ± .*)$")
"""A line of a printed table: rule, attack, published value and measured value."""
BROKEN_BACKDOOR = 0.5
"""A backdoor accuracy above this counts as a backdoor that was planted."""

Row = Mapping[str, str]
"""A row of a table, by the heads of its columns."""


class Cell(NamedTuple):
    """The accuracy under an attack and, if it has a backdoor, the backdoor accuracy."""

    accuracy: float
    backdoor: float | None = None


class Score(NamedTuple):
    """A rule as a page calls it, with what it reached under each attack."""

    label: str
    cells: Mapping[str, Cell]

    def only(self, attacks: Iterable[str]) -> "Score":
        """Return the score on these attacks and without one."""
        return Score(self.label, {name: self.cells[name] for name in (CLEAN, *attacks)})

    @property
    def attacks(self) -> list[str]:
        return [name for name in self.cells if name != CLEAN]

    @property
    def failures(self) -> list[str]:
        """The attacks that leave less than half of the accuracy without attack, or plant their backdoor."""
        return [name for name in self.attacks if self._is_broken(self.cells[name])]

    @property
    def worst(self) -> str:
        """The attack that leaves the least accuracy."""
        return min(self.attacks, key=lambda name: self.cells[name].accuracy)

    @property
    def strongest_backdoor(self) -> float | None:
        return max((cell.backdoor for cell in self.cells.values() if cell.backdoor is not None), default=None)

    @property
    def merit(self) -> tuple[int, float]:
        """What rules are ranked by: few failures first, then the accuracy under the worst attack."""
        return -len(self.failures), self.cells[self.worst].accuracy

    def _is_broken(self, cell: Cell) -> bool:
        return cell.accuracy < self.cells[CLEAN].accuracy / 2 or (cell.backdoor or 0.0) > BROKEN_BACKDOOR


def read_tables(markdown: str) -> Iterator[list[Row]]:
    """Return the tables of a page in Markdown, one after the other."""
    for block in re.findall(r"(?:^\|.*\|$\n?)+", markdown, flags=re.MULTILINE):
        head, _, *body = [[cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines()]
        yield [dict(zip(head, cells, strict=True)) for cells in body]


def read_gallery() -> list[Score]:
    """Return every rule's accuracy under every attack; rules that are the same are listed under the first name."""
    cells: dict[str, dict[str, Cell]] = {}
    for row in chain.from_iterable(table for table in read_tables(_page("gallery")) if f"`{CLEAN}`" in table[0]):
        found = {_plain(head): _cell(text) for head, text in _beside(row, "rule")}
        cells.setdefault(_plain(row["rule"].split(",")[0]), {}).update(found)
    return [Score(rule, found) for rule, found in cells.items()]


def count_gallery_seeds() -> str:
    """Return how many seeds each cell of the gallery is the mean of, as in `3 seeds`."""
    seeds = re.search(r"\bseeds? (\d+(?:, \d+)*)", _page("gallery"))
    count = len(seeds[1].split(", ")) if seeds else 1
    return f"{count} seed{'s' if count > 1 else ''}"


def read_backdoors() -> list[Score]:
    """Return what MSG's fixed defenses reach after the last round; its attacks that plant nothing have no backdoor."""
    rows = [table for table in read_tables(_page("backdoors")) if "BFL" in table[0]][1]
    return [Score(row["defense"], {head: _cell(text) for head, text in _beside(row, "defense")}) for row in rows]


def read_learned() -> list[Score]:
    """Return the panels of RLA's figure 3, after the last round."""
    rows = next(table for table in read_tables(_page("learned-attack")) if "panel" in table[0])
    return [Score(row["panel"], {head: _cell(text) for head, text in _beside(row, "panel")}) for row in rows]


def read_few_attackers() -> tuple[list[Score], list[Score]]:
    """Return MARL's figure 2, whose tables hold errors: first with data dealt at random, then with unlike clients."""
    panels = re.split(r"^error, ", _page("marl-fig2"), flags=re.MULTILINE)[1:3]
    alike, unlike = ([each for line in panel.splitlines() if (each := PRINTED.match(line))] for panel in panels)
    return _scores(alike), _scores(unlike)


def _scores(lines: list[re.Match[str]]) -> list[Score]:
    cells: dict[str, dict[str, Cell]] = {}
    for line in lines:
        rule, attack, error = line.groups()
        cells.setdefault(rule, {})[attack] = Cell(round(1 - float(error), 3))
    return [Score(rule, found) for rule, found in cells.items()]


def _page(name: str) -> str:
    return (RESULTS / f"{name}.md").read_text(encoding="utf-8")


def _beside(row: Row, head: str) -> Iterator[tuple[str, str]]:
    return ((column, text) for column, text in row.items() if column != head)


def _plain(text: str) -> str:
    return text.strip("*` ")


def _cell(text: str) -> Cell:
    """Read `0.94`, `**0.10**`, `0.94 [0.92, 0.96]`, `0.94 ± 0.01` or, with a backdoor, `0.94/0.02`."""
    measured, *rest = text.split("±")[0].split("/")
    backdoor = NUMBER.search(rest[0]) if rest else None
    accuracy = NUMBER.search(measured)
    assert accuracy is not None, f"no number in {text!r}"
    return Cell(float(accuracy[0]), None if backdoor is None else float(backdoor[0]))
