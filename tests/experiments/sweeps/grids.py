"""Sweeps that take no time, and what they leave."""

import json
from pathlib import Path

from sparring.experiments import apply_overrides
from tests.experiments.small import LASTING, SETTINGS

BASE = apply_overrides({}, SETTINGS)
NO_ATTACK, IPM, LMP = {"name": "none"}, {"name": "ipm", "malicious": 2}, {"name": "lmp", "malicious": 2}


def grid(*settings, **axes):
    """Return a sweep file's document: the small run with these settings, along these axes."""
    return {"base": apply_overrides(BASE, settings), "axes": axes}


def full_grid(*settings):
    """Return a sweep of 24 runs."""
    clipped = {"name": "clipped", "inner": {"name": "mean"}}
    defenses = [
        {"name": "mean"},
        {"name": "centered_clipping"},
        *({**clipped, "max_norm": norm} for norm in (0.5, 2.0)),
    ]
    axes = {"data.separation": [2.0, 6.0], "attack": [NO_ATTACK, IPM, LMP], "defense": defenses}
    return grid(*settings, **axes)


def selecting(*settings, **select):
    """Return a sweep that chooses how far updates are clipped."""
    defenses = {
        "mean": {"defense": {"name": "mean"}},
        "clipped": {"defense": {"name": "clipped", "inner": {"name": "mean"}, "max_norm": 9.0}},
    }
    document = grid("data.validation=0.2", *settings, attack=[NO_ATTACK, IPM, LMP], defense=defenses, seed=[0, 1])
    section = {
        "tune": "defense",
        "try": {"clipped": {"defense.max_norm": [0.1, 2.0]}},
        "against": {"attack": [IPM, LMP]},
    }
    return {**document, "select": section | select}


def written(folder: Path, document) -> str:
    """Write a sweep file, and return its name."""
    path = folder / "grid.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def left(folder: Path) -> dict[str, bytes]:
    """Return the files of a sweep that do not depend on how and when it was played."""
    paths = (path for path in folder.rglob("*") if path.name in ("sweep.json", "selection.json", *LASTING))
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def complete(folder: Path) -> int:
    """Count the runs that are complete."""
    return len(list(folder.glob("runs/*/result.json")))
