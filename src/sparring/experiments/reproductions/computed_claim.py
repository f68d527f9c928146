"""A published statement that is calculated and not played as runs: part by part, into one file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sparring
from sparring.errors import UnknownFolder
from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.jobs.atomic_files import read_json, write_json
from sparring.experiments.reproductions.preset import Scale
from sparring.experiments.runs.run_folder import locked

NAME = "calculation.json"

Part = Mapping[str, Any]
"""What is calculated at once: it depends on these labels alone."""
Row = Mapping[str, Any]
"""What a case of a part came to, as JSON has it."""


@dataclass(frozen=True)
class ComputedClaim:
    """A published statement, and how it is tried."""

    id: str
    title: str
    source: str
    differences: Mapping[Scale, tuple[str, ...]]
    """In what it is tried otherwise than published."""
    parts: Callable[[Scale], tuple[Part, ...]]
    calculate: Callable[[Scale, Part], tuple[Row, ...]]
    tables: Callable[[Sequence[Row]], Iterable[Table]]
    judge: Callable[[Scale, Sequence[Row]], tuple[Judgment, ...]]

    def __repr__(self) -> str:
        return f"ComputedClaim({self.id!r}, {self.title!r})"


def compute(
    calculation: ComputedClaim, scale: Scale, *, folder: Path, tell: Callable[[int, Part], None]
) -> tuple[Row, ...]:
    """Calculate what the folder does not hold yet, a part at a time, and return everything.

    `tell` hears of each part, and how many are done with it.
    """
    with locked(folder):
        rows = _kept(calculation, scale, folder=folder)
        for done, part in enumerate(calculation.parts(scale), start=1):
            if not any(_belongs(row, part) for row in rows):
                rows += ({**part, **row} for row in calculation.calculate(scale, part))
                write_json(folder / NAME, {**_about(calculation, scale), "rows": rows})
            tell(done, part)
    return tuple(rows)


def _about(calculation: ComputedClaim, scale: Scale) -> dict[str, str]:
    return {"id": calculation.id, "scale": scale, "version": sparring.__version__}


def _kept(calculation: ComputedClaim, scale: Scale, *, folder: Path) -> list[Row]:
    """Return the rows in the folder, if they are of this calculation."""
    path = folder / NAME
    if not path.exists():
        return []
    content, wanted = read_json(path), _about(calculation, scale)
    about = {key: content.get(key) for key in wanted} if isinstance(content, dict) else "damaged"
    if about != wanted:
        raise UnknownFolder(f"{path} is {about}, not {wanted}; choose another folder")
    rows: list[Row] = content["rows"]
    return rows


def _belongs(row: Row, part: Part) -> bool:
    return all(row.get(label) == value for label, value in part.items())
