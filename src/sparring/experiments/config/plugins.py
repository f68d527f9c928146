"""Players from elsewhere: modules, named by a person or declared by an installed package, that add to the catalogues.

A plug-in has tables of the names of ours: `ATTACKS`, `TRIGGERS`, `DEFENSES`, `POST_TRAINING`, `DATASETS`,
`PARTITIONS`, `MODELS`.
"""

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass, replace
from functools import reduce
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from sparring.errors import ConfigError, PluginError, UnknownName, blaming
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Notice, Plugin, ignore
from sparring.experiments.config.overrides import apply_overrides
from sparring.experiments.config.renamed import MERGED, accept_former_kind
from sparring.experiments.config.schema import Config
from sparring.experiments.config.sections import subsection
from sparring.kinds import KINDS, has_method, kind_of
from sparring.registry import Table, build, offer

GROUP = "sparring.plugins"
"""The entry points by which an installed package declares its plug-ins: a name, and a module."""
NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What a member may be called."""
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word of a class's name begins."""


def load_plugins(modules: Iterable[str] = (), *, notice: Notice = ignore) -> Catalogues:
    """Return the catalogues with what installed packages and these modules add.

    An installed plug-in that cannot be loaded is left out, with a notice: not every run needs it.
    """
    catalogues = CATALOGUES
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            catalogues = _joined(catalogues, plugin(entry.value))
        except (ConfigError, PluginError) as error:
            notice(f"{error}; going on without this plug-in of {entry.dist.name if entry.dist else 'a package'}")
    return reduce(_joined, map(plugin, modules), catalogues)


def plugin(module: str) -> Plugin:
    """Import a module, and read its tables; `package.module:Class` stands for one class of it, without a table."""
    if ":" in module:
        return _of_class(module)
    imported = import_plugin(module)
    tables: dict[str, Table] = {}
    for name in (*KINDS, *MERGED):
        if _constant(name) in vars(imported):
            kind, table = accept_former_kind(name), vars(imported)[_constant(name)]
            _check_table(f"plug-in {module}: {_constant(name)}", table, verbs=KINDS[kind].verbs)
            tables[kind] = {**tables.get(kind, {}), **table}
    if not tables:
        names = ", ".join(map(_constant, KINDS))
        raise PluginError(f"plug-in {module} has no table; give it one or more of: {names}")
    return Plugin(module, _version(imported), tables)


def member_name(cls: type) -> str:
    """Return what a class is called in a catalogue, if no table says otherwise: `MyRule` is `my_rule`."""
    return HUMP.sub("_", cls.__name__).lower()


def _of_class(path: str) -> Plugin:
    cls = load_class(path)
    kind, table = kind_of(cls), {member_name(cls): cls}
    _check_table(f"plug-in {path}", table, verbs=KINDS[kind].verbs)
    return Plugin(path, _version(sys.modules[cls.__module__]), {kind: table})


def _constant(kind: str) -> str:
    """Return what the table of a kind is called in a module."""
    return kind.upper().replace("-", "_")


def import_plugin(module: str) -> ModuleType:
    """Import a module that a person named; the folder that the process works in is searched last."""
    if not all(part.isidentifier() for part in module.split(".")):
        raise ConfigError(f"{module!r} is no module; write it as in package.module")
    try:
        with blaming(f"plug-in {module}"), _working_folder_searched():
            return importlib.import_module(module)
    except PluginError as error:
        absent = error.__cause__.name if isinstance(error.__cause__, ModuleNotFoundError) else None
        if absent is None or not f"{module}.".startswith(f"{absent}."):
            raise
        raise ConfigError(f"there is no module {module!r}; install it, or work in the folder that holds it") from None


def load_class(path: str) -> type:
    """Return the class that `package.module:Class` stands for."""
    module, colon, name = path.partition(":")
    if not colon or not name:
        raise ConfigError(f"{path!r} is no class; write it as in package.module:Class")
    found = vars(import_plugin(module))
    if name not in found:
        classes = [name for name, value in found.items() if isinstance(value, type) and is_dataclass(value)]
        own_first = sorted(classes, key=lambda each: found[each].__module__ != module)
        raise UnknownName(f"plug-in {module} has no class {name!r}{offer(name, own_first)}")
    cls = found[name]
    if not isinstance(cls, type) or not is_dataclass(cls):
        remedy = "write @dataclass(frozen=True) above it: its fields are the options of a player"
        raise PluginError(f"plug-in {module}: {name!r} is no dataclass; {remedy}")
    return cls


def built(cls: type, settings: Iterable[str], catalogues: Catalogues) -> object:
    """Build an object of a class with settings such as `defense.inner.name=median`, as a configuration would."""
    kind, settings = kind_of(cls), list(settings)
    label = KINDS[kind].section
    for setting in settings:
        if not setting.startswith(f"{label}."):
            raise ConfigError(f"{setting!r} is no setting of {cls.__name__}; write {label}.key=value")
    section = reduce(subsection, label.split("."), apply_overrides({}, settings))
    # No name of a catalogue has a colon.
    name = f"{cls.__module__}:{cls.__qualname__}"
    return build(label, {**catalogues[kind], name: cls}, {**section, "name": name}, families=catalogues.families)


def plugins_of(config: Config, catalogues: Catalogues) -> dict[str, str]:
    """Return the plug-ins that a configuration names something from, with their versions."""
    named = set(_named(config))
    return {
        plugin.module: plugin.version
        for plugin in catalogues.plugins
        if any((kind, name) in named for kind, table in plugin.tables.items() for name in table)
    }


def _joined(catalogues: Catalogues, added: Plugin) -> Catalogues:
    """Return catalogues that a plug-in is a part of; a name that is taken stays whose it is."""
    if any(plugin.module == added.module for plugin in catalogues.plugins):
        return catalogues
    for kind, table in added.tables.items():
        for name in table:
            if name in catalogues[kind] and catalogues[kind][name] is not table[name]:
                raise PluginError(f"plug-in {added.module}: {_constant(kind)} has {name!r}, which is taken; rename it")
    tables = {kind: {**table, **added.tables.get(kind, {})} for kind, table in catalogues.tables.items()}
    return replace(catalogues, tables=tables, plugins=(*catalogues.plugins, added))


def _check_table(label: str, table: Any, *, verbs: Sequence[str]) -> None:
    if not isinstance(table, Mapping):
        raise PluginError(f"{label} is {type(table).__name__}; it must map names to classes")
    for name, cls in table.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise PluginError(f"{label} has the name {name!r}; use lower-case words, as in my_rule")
        if not isinstance(cls, type) or not is_dataclass(cls) or not has_method(cls, verbs):
            methods = " or ".join(f"`{verb}`" for verb in verbs)
            raise PluginError(f"{label} has {name!r}, which is no dataclass with a method {methods}; make it one")


@contextmanager
def _working_folder_searched() -> Iterator[None]:
    """Let modules beside a person's files be found, but behind all others, so that they hide none."""
    folder = os.getcwd()
    sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)


def _version(module: ModuleType) -> str:
    """Return what tells this plug-in from another of its name: its package's version, or else its file's digest."""
    package = module.__name__.partition(".")[0]
    declared = vars(module).get("__version__", vars(sys.modules[package]).get("__version__"))
    if declared is not None:
        return str(declared)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        content = Path(module.__file__).read_bytes() if module.__file__ else b""
        return f"sha256:{hashlib.sha256(content).hexdigest()[:16]}"


def _named(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of everything that a configuration names."""
    yield from _names("datasets", config.data.member)
    yield from _names("partitions", config.data.partition)
    yield from _names("models", config.model)
    yield from _names("defenses", config.defense)
    yield from _names("post-training", config.post_training)
    for attacker in config.attacks:
        yield from _names("attacks", attacker.member)
        for nested in filter(_is_section, attacker.member.values()):
            yield from _names("triggers", nested)


def _names(kind: str, section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield kind, section["name"]
    for nested in filter(_is_section, section.values()):
        yield from _names(kind, nested)


def _is_section(value: object) -> bool:
    return isinstance(value, Mapping)
