"""What a run folder says of its run: the configuration, its digest, and what it was played with."""

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

import numpy as np
import torch

import sparring
from sparring.errors import ConfigError, RunError, UnknownFolder
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.parse import digest, parse_config, to_document
from sparring.experiments.config.plugins import plugins_of
from sparring.experiments.config.recorded import read_recorded
from sparring.experiments.config.renamed import to_present
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import read_json, write_json

NAME = "manifest.json"
FORMAT = 1
ORACLE = "the rule is told how many updates of each round are malicious"


class Manifest(NamedTuple):
    """The configuration of a run, the versions of ours and of plug-ins it was started with, its classes by name."""

    config: Config
    versions: dict[str, str]
    plugins: dict[str, str]
    class_names: tuple[str, ...] = ()


def versions() -> dict[str, str]:
    """Return the versions that bit-identity depends on."""
    return {
        "sparring": sparring.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def device_name(device: str) -> dict[str, str]:
    """Return what the device calls itself, if it is no processor."""
    return {} if device == "cpu" else {"device_name": torch.cuda.get_device_name(device)}


def write_manifest(
    folder: Path, config: Config, *, class_names: Sequence[str] = (), catalogues: Catalogues = CATALOGUES
) -> None:
    content: dict[str, Any] = {
        "sparring_run": FORMAT,
        "digest": digest(config),
        "seed": config.seed,
        "device": config.execution.device,
        **device_name(config.execution.device),
        "threads": config.execution.threads,
        "versions": versions(),
        "plugins": plugins_of(config, catalogues),
        "config": to_document(config),
        "files": config.files,
        **({"oracle": ORACLE} if config.has_oracle else {}),
    }
    if class_names:
        content["class_names"] = list(class_names)
    write_json(folder / NAME, content)


def has_manifest(folder: Path) -> bool:
    """Say whether a folder is a run folder."""
    return _is_ours(read_json(folder / NAME))


def read_manifest(folder: Path, catalogues: Catalogues = CATALOGUES) -> Manifest:
    """Return what a run folder says of its run, if that is still true.

    Plug-ins that it names are never imported for that: somebody else may have written it.
    """
    content = _read(folder)
    _refuse_missing(content["plugins"], folder, catalogues=catalogues)
    about = _manifest(folder, content, configured=partial(parse_config, catalogues=catalogues))
    if digest(about.config) != content["digest"]:
        raise RunError(f"{folder / NAME} was changed, or made by another version; play the run again with --overwrite")
    return about


def read_old_manifest(folder: Path) -> Manifest:
    """Return what a run folder records of its run, which another version of Sparring, or a plug-in, may have played.

    Nothing that it names is imported or built.
    """
    return _manifest(folder, _read(folder), configured=read_recorded)


def _read(folder: Path) -> dict[str, Any]:
    content = read_json(folder / NAME)
    if not _is_ours(content):
        raise UnknownFolder(f"{folder} is no run folder; give one that `sparring run` made")
    found: dict[str, Any] = content
    return found


def _manifest(folder: Path, content: Mapping[str, Any], *, configured: Callable[..., Config]) -> Manifest:
    try:
        # Before files were known by what they hold, nothing was said of that, and digests are made of their names.
        config = configured(to_present(content["config"]), files=content.get("files", {}))
    except ConfigError as error:
        raise RunError(f"{folder / NAME}: {error}; play the run again with --overwrite") from None
    names = tuple(map(str, content.get("class_names", ())))
    return Manifest(config, content["versions"], content["plugins"], names)


def _refuse_missing(plugins: Iterable[str], folder: Path, *, catalogues: Catalogues) -> None:
    loaded = {plugin.module for plugin in catalogues.plugins}
    missing = [module for module in plugins if module not in loaded]
    if missing:
        options = " ".join(f"--plugin {quote(module)}" for module in missing)
        raise RunError(f"{folder} was played with a plug-in that is not loaded; if you trust it, add {options}")


def _is_ours(content: Any) -> bool:
    if not isinstance(content, dict) or content.get("sparring_run") != FORMAT:
        return False
    sections = ("config", "versions", "plugins")
    has_names = isinstance(content.get("class_names", []), list) and isinstance(content.get("files", {}), dict)
    return "digest" in content and has_names and all(isinstance(content.get(section), dict) for section in sections)
