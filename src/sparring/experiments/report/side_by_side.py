"""Compare runs: differences of their configurations, results, and curves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from sparring.errors import ConfigError, RunError, UnknownFolder
from sparring.experiments.analysis.plots import Curve
from sparring.experiments.config.describe import list_facts
from sparring.experiments.config.parse import flatten, to_document
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.runs.journal import read_curve
from sparring.experiments.runs.manifest import Manifest, has_manifest, read_old_manifest
from sparring.experiments.runs.run_folder import RECORDS, RESULT, TIMING
from sparring.experiments.sweeps.axes import METRICS
from sparring.experiments.sweeps.sweep_folder import is_sweep

AUDIT = "audit.json"
"""The file that identifies an audit's folder."""
UNSET = "not set"
LEVELS, PLAIN_LEVELS = "▁▂▃▄▅▆▇█", "_.-=+*%#"
"""The marks of a sparkline from 0 to 1, in Unicode and in ASCII."""


class ShownRun(NamedTuple):
    """A run read from its folder, complete or not."""

    name: str
    folder: Path
    about: Manifest
    result: Mapping[str, Any]
    """The result; empty if the run is not complete."""
    curve: Curve
    rounds: int
    """The number of completed rounds."""
    speed: float | None

    @property
    def state(self) -> str:
        """Whether the run is complete, else its progress."""
        if self.result:
            return "complete"
        config = self.about.config
        asked = f" of {config.federation.rounds}" if isinstance(config, Config) else ""
        return f"{self.rounds}{asked} rounds"


def read_runs(folders: Sequence[Path]) -> tuple[ShownRun, ...]:
    """Read the runs in folders, with unique names and without plug-ins."""
    paths = [folder.resolve() for folder in folders]
    for index, path in enumerate(paths):
        if path in paths[:index]:
            raise ConfigError(f"{folders[index]} is given twice; give each run once")
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    return tuple(_read_run(name, folder) for name, folder in zip(names, folders, strict=True))


def find_differences(runs: Sequence[ShownRun]) -> dict[str, tuple[str, ...]]:
    """Return the settings that differ between the runs, in the order of the configuration, with their values."""
    documents = [flatten(to_document(run.about.config)) for run in runs]
    keys = dict.fromkeys(key for document in documents for key in document)
    values = {key: tuple(_format_value(document.get(key, UNSET)) for document in documents) for key in keys}
    return {key: each for key, each in values.items() if len(set(each)) > 1}


def list_results(run: ShownRun) -> dict[str, str]:
    """Return the formatted results of a run, or its progress if it is not complete."""
    found = {"state": run.state}
    for metric in METRICS:
        value = run.result.get(metric)
        if value is not None:
            found[metric.replace("_", " ")] = f"{value:.4g}" if metric == "loss" else f"{value:.3f}"
    if run.result and run.result.get("loss") is None:
        found["loss"] = "not finite"
    if not run.result and run.curve:
        found["accuracy"] = f"{run.curve[-1][1]:.3f} after round {run.curve[-1][0]}"
    if run.speed is not None:
        found["speed"] = f"{run.speed:.3g} rounds/s"
    return found


def list_facts_of_run(run: ShownRun) -> dict[str, str]:
    """Describe the configuration of a run in words."""
    versions = {**run.about.versions, **run.about.plugins}
    return {
        **list_facts(run.about.config),
        "seed": str(run.about.config.seed),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def draw_sparkline(curve: Curve, width: int, *, levels: str = LEVELS) -> str:
    """Draw the accuracies of a curve, from 0 to 1, in at most `width` characters."""
    if not curve:
        return ""
    last = len(curve) - 1
    points = range(len(curve)) if len(curve) <= width else [round(step * last / (width - 1)) for step in range(width)]
    return "".join(levels[min(len(levels) - 1, int(curve[point][1] * len(levels)))] for point in points)


def runs_to_json(runs: Sequence[ShownRun]) -> dict[str, Any]:
    """Return the comparison of runs in the form of JSON."""
    described = [
        {
            "run": str(run.folder),
            "complete": bool(run.result),
            "config": to_document(run.about.config),
            "versions": run.about.versions,
            "plugins": run.about.plugins,
            "result": dict(run.result),
            "curve": [list(point) for point in run.curve],
            "rounds_per_second": run.speed,
        }
        for run in runs
    ]
    return {"runs": described, "differences": find_differences(runs)}


def _read_run(name: str, folder: Path) -> ShownRun:
    _admit(folder)
    about, result = read_old_manifest(folder), read_json(folder / RESULT)
    timing = read_json(folder / TIMING)
    curve, rounds = _read_curve(folder / RECORDS)
    speed = timing.get("rounds_per_second") if isinstance(timing, dict) else None
    return ShownRun(name, folder, about, result if isinstance(result, dict) else {}, curve, rounds, speed)


def _admit(folder: Path) -> None:
    """Reject a folder that is not a run folder, and name the command that shows it."""
    if has_manifest(folder):
        return
    kind = "a sweep" if is_sweep(folder) else "an audit" if (folder / AUDIT).exists() else ""
    if kind:
        raise ConfigError(f"{folder} holds {kind}; show it with `sparring report {quote(str(folder))}`")
    raise UnknownFolder(f"{folder} is not a run folder; give one that `sparring run` created")


def _read_curve(path: Path) -> tuple[Curve, int]:
    """Return the accuracies after the evaluated rounds, and the number of completed rounds."""
    try:
        return read_curve(path) if path.exists() else ([], 0)
    except (OSError, ValueError, TypeError, KeyError):
        raise RunError(f"{path} is damaged; run it again with --overwrite") from None


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
