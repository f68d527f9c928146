"""Options and arguments shared by several commands."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.progress import show_notice
from sparring.errors import ConfigError
from sparring.experiments import CATALOGUES, Catalogues, apply_overrides, load_plugins, read_document
from sparring.experiments.config.parse import full_key
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import Workers
from sparring.integrations import integration
from sparring.kinds import KINDS
from sparring.registry import normalize_name

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Gap = Annotated[float, typer.Option(metavar="NUMBER", min=0, help="The smallest difference in a metric that counts.")]


TensorBoard = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Write the records for TensorBoard into this folder.")
]
Jobs = Annotated[int | None, typer.Option(min=1, max=1024, help="Number of parallel workers; by default one per core.")]
Ray = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Run on the Ray cluster at this address; `local` starts one.")
]


def choose_workers(jobs: int | None, ray: str | None) -> Workers:
    """Return the workers that execute the runs."""
    if ray is None:
        return LocalWorkers(jobs or len(os.sched_getaffinity(0)))
    if jobs is not None:
        raise ConfigError("--jobs and --ray are both given; choose one")
    workers: Workers = integration("ray")(ray)
    return workers


def refuse_workers(jobs: int | None, ray: str | None) -> None:
    """Reject an option that chooses workers for a single run."""
    if jobs is not None or ray is not None:
        option = "--ray" if jobs is None else "--jobs"
        raise ConfigError(f"{option} is given, and one run uses one process; use --seeds for several runs")


SUFFIXES = (".yaml", ".yml")

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CONFIG.yaml] [SECTION.KEY=VALUE]...", help="A configuration file, and settings that override it."
    ),
]


def read_words(words: Sequence[str]) -> dict[str, Any]:
    """Return the document of at most one file, with the settings applied to it."""
    files = [word for word in words if _is_file(word)]
    for word in files:
        meant = _suggest_setting(word, words)
        if meant is not None and not Path(word).exists():
            raise ConfigError(f"{word!r} is not a file; write {meant}")
    if len(files) > 1:
        raise ConfigError(f"{files[1]!r} is not a setting; write section.key=value, and at most one configuration file")
    document = read_document(Path(files[0])) if files else {}
    return apply_overrides(document, [word for word in words if not _is_file(word)])


def _suggest_setting(word: str, words: Sequence[str]) -> str | None:
    """Return the setting that a word alone probably means: it is a key, or the name of a catalogue's member."""
    following = next(iter(words[words.index(word) + 1 :]), "")
    key = word if "." in word and not word.endswith(SUFFIXES) else full_key(word)
    if key is not None and following and "=" not in following:
        return f"{key}={following}"
    for kind, (section, _) in KINDS.items():
        if normalize_name(word) in CATALOGUES[kind]:
            return f"{section}={normalize_name(word)}"
    return f"{key}=VALUE" if key is not None and key == full_key(key.rpartition(".")[2]) else None


def _is_file(word: str) -> bool:
    return "=" not in word or word.endswith(SUFFIXES)


Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="MODULE", help="Add the players of a Python module; can be repeated."),
]


def load_catalogues(plugins: Sequence[str] | None) -> Catalogues:
    """Return the catalogues extended by these plug-ins and by those of installed packages."""
    return load_plugins(plugins or (), notice=show_notice)
