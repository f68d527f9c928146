"""Published statements that are calculated instead of run as a sweep: part by part, into one file."""

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
from sparring.experiments.runs.run_folder import lock_folder

NAME = "calculation.json"

Part = Mapping[str, Any]
"""One part of a calculation, given by its labels."""
Row = Mapping[str, Any]
"""The result of one case of a part, in the form of JSON."""


@dataclass(frozen=True)
class ComputedClaim:
    """A published statement, and the calculation that checks it."""

    id: str
    title: str
    source: str
    differences: Mapping[Scale, tuple[str, ...]]
    """The differences from the publication."""
    parts: Callable[[Scale], tuple[Part, ...]]
    calculate: Callable[[Scale, Part], tuple[Row, ...]]
    tables: Callable[[Sequence[Row]], Iterable[Table]]
    judge: Callable[[Scale, Sequence[Row]], tuple[Judgment, ...]]

    def __repr__(self) -> str:
        return f"ComputedClaim({self.id!r}, {self.title!r})"


def compute(
    calculation: ComputedClaim, scale: Scale, *, folder: Path, tell: Callable[[int, Part], None]
) -> tuple[Row, ...]:
    """Compute the missing parts one by one, and return all rows.

    `tell` is called after each part with the number of completed parts.
    """
    with lock_folder(folder):
        rows = _read_rows(calculation, scale, folder=folder)
        for done, part in enumerate(calculation.parts(scale), start=1):
            if not any(_belongs(row, part) for row in rows):
                rows += ({**part, **row} for row in calculation.calculate(scale, part))
                write_json(folder / NAME, {**_about(calculation, scale), "rows": rows})
            tell(done, part)
    return tuple(rows)


def _about(calculation: ComputedClaim, scale: Scale) -> dict[str, str]:
    return {"id": calculation.id, "scale": scale, "version": sparring.__version__}


def _read_rows(calculation: ComputedClaim, scale: Scale, *, folder: Path) -> list[Row]:
    """Return the rows in the folder; the folder of another calculation is rejected."""
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
