"""The manifest of a run folder: the configuration, its digest, and the versions of the software."""

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
from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.config.parse import digest, parse_config, to_document
from sparring.experiments.config.plugins import plugins_of
from sparring.experiments.config.recorded import read_recorded_run
from sparring.experiments.config.renamed import to_present
from sparring.experiments.jobs.atomic_files import read_json, write_json

NAME = "manifest.json"
FORMAT = 1
ORACLE = "the rule is told how many updates of each round are malicious"


class Manifest(NamedTuple):
    """The configuration of a run, the versions of Sparring and of plug-ins at its start, and its class names."""

    config: AnyConfig
    versions: dict[str, str]
    plugins: dict[str, str]
    class_names: tuple[str, ...] = ()


def list_versions() -> dict[str, str]:
    """Return the versions of the software that affect the bits of results."""
    return {
        "sparring": sparring.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def describe_device(device: str) -> dict[str, str]:
    """Return the name of the device, unless it is the CPU."""
    return {} if device == "cpu" else {"device_name": torch.cuda.get_device_name(device)}


def write_manifest(
    folder: Path, config: AnyConfig, *, class_names: Sequence[str] = (), catalogues: Catalogues = CATALOGUES
) -> None:
    content: dict[str, Any] = {
        "sparring_run": FORMAT,
        "digest": digest(config),
        "seed": config.seed,
        "device": config.execution.device,
        **describe_device(config.execution.device),
        "threads": config.execution.threads,
        "versions": list_versions(),
        "plugins": plugins_of(config, catalogues),
        "config": to_document(config),
        "files": config.files,
        **({"oracle": ORACLE} if config.has_oracle else {}),
    }
    if class_names:
        content["class_names"] = list(class_names)
    write_json(folder / NAME, content)


def has_manifest(folder: Path) -> bool:
    """Return whether a folder is a run folder."""
    return _is_ours(read_json(folder / NAME))


def read_manifest(folder: Path, catalogues: Catalogues = CATALOGUES) -> Manifest:
    """Read the manifest of a run folder, and verify its digest.

    Plug-ins that it names are never imported, since the folder may come from an untrusted source.
    """
    content = _read(folder)
    _refuse_missing(content["plugins"], folder, catalogues=catalogues)
    about = _parse_manifest(folder, content, configured=partial(parse_config, catalogues=catalogues))
    if digest(about.config) != content["digest"]:
        raise RunError(f"{folder / NAME} was changed, or written by another version; run it again with --overwrite")
    return about


def read_old_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run folder that may need another version of Sparring, or a plug-in that is not loaded.

    Nothing that it names is imported or built.
    """
    return _parse_manifest(folder, _read(folder), configured=read_recorded_run)


def _read(folder: Path) -> dict[str, Any]:
    content = read_json(folder / NAME)
    if not _is_ours(content):
        raise UnknownFolder(f"{folder} is not a run folder; give one that `sparring run` created")
    found: dict[str, Any] = content
    return found


def _parse_manifest(folder: Path, content: Mapping[str, Any], *, configured: Callable[..., AnyConfig]) -> Manifest:
    try:
        # Earlier versions did not record the contents of files; their digests depend on the names.
        config = configured(to_present(content["config"]), files=content.get("files", {}))
    except ConfigError as error:
        raise RunError(f"{folder / NAME}: {error}; run it again with --overwrite") from None
    names = tuple(map(str, content.get("class_names", ())))
    return Manifest(config, content["versions"], content["plugins"], names)


def _refuse_missing(plugins: Iterable[str], folder: Path, *, catalogues: Catalogues) -> None:
    loaded = {plugin.module for plugin in catalogues.plugins}
    missing = [module for module in plugins if module not in loaded]
    if missing:
        options = " ".join(f"--plugin {quote(module)}" for module in missing)
        raise RunError(f"{folder} was run with a plug-in that is not loaded; if you trust it, add {options}")


def _is_ours(content: Any) -> bool:
    if not isinstance(content, dict) or content.get("sparring_run") != FORMAT:
        return False
    sections = ("config", "versions", "plugins")
    has_names = isinstance(content.get("class_names", []), list) and isinstance(content.get("files", {}), dict)
    return "digest" in content and has_names and all(isinstance(content.get(section), dict) for section in sections)
