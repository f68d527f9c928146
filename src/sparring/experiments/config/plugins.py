"""Plug-ins: modules that add players to the catalogues, named by the user or declared by an installed package.

A plug-in defines tables with the names of the built-in ones: `ATTACKS`, `TRIGGERS`, `DEFENSES`,
`POST_TRAINING`, `DATASETS`, `PARTITIONS`, `MODELS`.
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

from sparring.errors import ConfigError, PluginError, UnknownName, attribute_errors
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Notice, Plugin, ignore
from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.config.overrides import apply_overrides
from sparring.experiments.config.renamed import MERGED, accept_former_kind
from sparring.experiments.config.sections import subsection
from sparring.kinds import KINDS, has_method, kind_of
from sparring.registry import Table, build, offer

GROUP = "sparring.plugins"
"""The entry-point group by which an installed package declares its plug-in modules."""
NAME = re.compile(r"[a-z][a-z0-9_]*")
"""The pattern of a member's name."""
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""The boundaries between the words of a class name."""


def load_plugins(modules: Iterable[str] = (), *, notice: Notice = ignore) -> Catalogues:
    """Return the catalogues extended by installed plug-ins and by these modules.

    An installed plug-in that cannot be loaded is skipped with a notice, since not every run needs it.
    """
    catalogues = CATALOGUES
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            catalogues = _join(catalogues, read_plugin(entry.value))
        except (ConfigError, PluginError) as error:
            notice(f"{error}; continuing without this plug-in of {entry.dist.name if entry.dist else 'a package'}")
    return reduce(_join, map(read_plugin, modules), catalogues)


def read_plugin(module: str) -> Plugin:
    """Import a module and read its tables; `package.module:Class` adds a single class, without a table."""
    if ":" in module:
        return _plugin_of_class(module)
    imported = import_plugin(module)
    tables: dict[str, Table] = {}
    for name in (*KINDS, *MERGED):
        if _table_name(name) in vars(imported):
            kind, table = accept_former_kind(name), vars(imported)[_table_name(name)]
            _check_table(f"plug-in {module}: {_table_name(name)}", table, verbs=KINDS[kind].verbs)
            tables[kind] = {**tables.get(kind, {}), **table}
    if not tables:
        names = ", ".join(map(_table_name, KINDS))
        raise PluginError(f"plug-in {module} has no table; give it one or more of: {names}")
    return Plugin(module, _version(imported), tables)


def member_name(cls: type) -> str:
    """Return the default catalogue name of a class: `my_rule` for `MyRule`."""
    return HUMP.sub("_", cls.__name__).lower()


def _plugin_of_class(path: str) -> Plugin:
    cls = load_class(path)
    kind, table = kind_of(cls), {member_name(cls): cls}
    _check_table(f"plug-in {path}", table, verbs=KINDS[kind].verbs)
    return Plugin(path, _version(sys.modules[cls.__module__]), {kind: table})


def _table_name(kind: str) -> str:
    """Return the name of the table of a kind in a module."""
    return kind.upper().replace("-", "_")


def import_plugin(module: str) -> ModuleType:
    """Import a module named by the user; the working directory is searched last."""
    if not all(part.isidentifier() for part in module.split(".")):
        raise ConfigError(f"{module!r} is not a module name; write it as in package.module")
    try:
        with attribute_errors(f"plug-in {module}"), _search_working_folder():
            return importlib.import_module(module)
    except PluginError as error:
        absent = error.__cause__.name if isinstance(error.__cause__, ModuleNotFoundError) else None
        if absent is None or not f"{module}.".startswith(f"{absent}."):
            raise
        raise ConfigError(f"there is no module {module!r}; install it, or change to the folder that holds it") from None


def load_class(path: str) -> type:
    """Import the class given as `package.module:Class`."""
    module, colon, name = path.partition(":")
    if not colon or not name:
        raise ConfigError(f"{path!r} is not a class; write it as in package.module:Class")
    found = vars(import_plugin(module))
    if name not in found:
        classes = [name for name, value in found.items() if isinstance(value, type) and is_dataclass(value)]
        own_first = sorted(classes, key=lambda each: found[each].__module__ != module)
        raise UnknownName(f"plug-in {module} has no class {name!r}{offer(name, own_first)}")
    cls = found[name]
    if not isinstance(cls, type) or not is_dataclass(cls):
        remedy = "write @dataclass(frozen=True) above it: its fields are the options of a player"
        raise PluginError(f"plug-in {module}: {name!r} is not a dataclass; {remedy}")
    return cls


def build_plugin(cls: type, settings: Iterable[str], catalogues: Catalogues) -> object:
    """Build an instance of a class with settings such as `defense.inner.name=median`, as from a configuration."""
    kind, settings = kind_of(cls), list(settings)
    label = KINDS[kind].section
    for setting in settings:
        if not setting.startswith(f"{label}."):
            raise ConfigError(f"{setting!r} is not a setting of {cls.__name__}; write {label}.key=value")
    section = reduce(subsection, label.split("."), apply_overrides({}, settings))
    # The colon avoids a conflict with the names in catalogues.
    name = f"{cls.__module__}:{cls.__qualname__}"
    return build(label, {**catalogues[kind], name: cls}, {**section, "name": name}, families=catalogues.families)


def plugins_of(config: AnyConfig, catalogues: Catalogues) -> dict[str, str]:
    """Return the plug-ins whose members a configuration uses, with their versions."""
    named = set(_used_members(config))
    return {
        plugin.module: plugin.version
        for plugin in catalogues.plugins
        if any((kind, name) in named for kind, table in plugin.tables.items() for name in table)
    }


def _join(catalogues: Catalogues, added: Plugin) -> Catalogues:
    """Return the catalogues extended by a plug-in; a name that is already taken is rejected."""
    if any(plugin.module == added.module for plugin in catalogues.plugins):
        return catalogues
    for kind, table in added.tables.items():
        for name in table:
            if name in catalogues[kind] and catalogues[kind][name] is not table[name]:
                raise PluginError(
                    f"plug-in {added.module}: {_table_name(kind)} has {name!r}, which is taken; rename it"
                )
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
            raise PluginError(f"{label} has {name!r}, which is not a dataclass with a method {methods}; make it one")


@contextmanager
def _search_working_folder() -> Iterator[None]:
    """Append the working directory to the import path, so that modules there hide no others."""
    folder = os.getcwd()
    sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)


def _version(module: ModuleType) -> str:
    """Return the version of a plug-in's package, or else the digest of its file."""
    package = module.__name__.partition(".")[0]
    declared = vars(module).get("__version__", vars(sys.modules[package]).get("__version__"))
    if declared is not None:
        return str(declared)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        content = Path(module.__file__).read_bytes() if module.__file__ else b""
        return f"sha256:{hashlib.sha256(content).hexdigest()[:16]}"


def _used_members(config: AnyConfig) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of every member that a configuration uses."""
    for kind, section in config.members():
        yield from _members_in(kind, section)
        for nested in filter(_is_section, section.values() if kind == "attacks" else ()):
            yield from _members_in("triggers", nested)


def _members_in(kind: str, section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield kind, section["name"]
    for nested in filter(_is_section, section.values()):
        yield from _members_in(kind, nested)


def _is_section(value: object) -> bool:
    return isinstance(value, Mapping)
