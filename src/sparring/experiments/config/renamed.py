"""Options and catalogues that had another name in an earlier version.

The former names are accepted for one release. Digests keep the former names of options for good, so that a run has the
same digest in either spelling, and in every version.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from sparring.errors import ConfigError, FormerName
from sparring.registry import normalize_name

UNTIL = "0.4"
"""The version that no longer accepts a former name."""

Options = Mapping[str, str]
"""The present names of a member's renamed options, by their former names."""

RENAMED: Mapping[str, Mapping[str, Options]] = {
    "attack": {
        "gaussian": {"deviation": "std"},
        "lmp": {"taken": "lambda_choice"},
        "targeted_eb": {"stealth": "stealth_weight", "stealthy": "stealth_steps"},
    },
    "data.partition": {
        "client_skew": {"pr": "main_label_probability"},
    },
}
"""By the section that names a member, and by the member's name."""

MERGED: Mapping[str, str] = {"poisons": "attacks"}
"""Catalogues that are part of another one."""

Rename = Callable[[str, Mapping[str, Any], Options], Mapping[str, Any]]
"""Returns a section with other names of its options; the first argument is its key, as in `attacks.0`."""


def accept_former(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the present names of all options, and warn of each former name that it has."""
    found: list[str] = []

    def accept(label: str, section: Mapping[str, Any], options: Options) -> dict[str, Any]:
        found.extend(
            f"{label}.{former} is now called {label}.{present}; the old name is accepted until {UNTIL}"
            for former, present in options.items()
            if former in section
        )
        return _swap_once(label, section, options)

    changed = _rename_options(document, accept)
    for message in found:
        warnings.warn(message, FormerName, stacklevel=3)
    return changed


def to_present(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an earlier version recorded with the present names of all options."""
    return _rename_options(document, _swap_once)


def to_former(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the former names of all options, of which digests are made."""
    return _rename_options(document, lambda _, section, options: _swap(section, {options[old]: old for old in options}))


def accept_former_kind(kind: str) -> str:
    """Return the catalogue that holds what the catalogue `kind` held, and warn if it is another one."""
    if kind not in MERGED:
        return kind
    present = MERGED[kind]
    warnings.warn(
        f"{kind} are now among the {present}; the old name is accepted until {UNTIL}", FormerName, stacklevel=3
    )
    return present


def _rename_options(document: Mapping[str, Any], rename: Rename) -> dict[str, Any]:
    """Return a document in which every section with renamed options is changed; what is no section stays."""
    changed = dict(document)
    data = document.get("data")
    if isinstance(data, Mapping) and "partition" in data:
        partition = _section("data.partition", data["partition"], RENAMED["data.partition"], rename=rename)
        changed["data"] = {**data, "partition": partition}
    if "attack" in document:
        changed["attack"] = _section("attack", document["attack"], RENAMED["attack"], rename=rename)
    if "attacks" in document:
        changed["attacks"] = _attackers(document["attacks"], rename)
    return changed


def _attackers(sections: Any, rename: Rename) -> Any:
    """Change a list of attackers, or attacks by their labels, as audits record them."""
    if isinstance(sections, Mapping):
        items = sections.items()
        return {key: _section(f"attacks.{key}", each, RENAMED["attack"], rename=rename) for key, each in items}
    if isinstance(sections, list | tuple):
        numbered = enumerate(sections)
        return [_section(f"attacks.{place}", each, RENAMED["attack"], rename=rename) for place, each in numbered]
    return sections


def _section(label: str, section: Any, table: Mapping[str, Options], *, rename: Rename) -> Any:
    options = table.get(normalize_name(section.get("name"))) if isinstance(section, Mapping) else None
    return rename(label, section, options) if options else section


def _swap_once(label: str, section: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Return a section with the present names of its options; both names at once are refused."""
    for former, present in options.items():
        if former in section and present in section:
            raise ConfigError(
                f"{label}.{former} is now called {label}.{present}, and both are given; leave out {former}"
            )
    return _swap(section, options)


def _swap(section: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in section.items()}
