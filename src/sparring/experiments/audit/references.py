"""The reference rules of an audit: common rules under the same attacks, to compare the audited rule with."""

from collections.abc import Mapping
from typing import NamedTuple

from sparring.experiments.analysis.statistics import Summary
from sparring.experiments.audit.request import AuditRequest
from sparring.experiments.config.sections import Section

ALWAYS, WITH_ROOT_DATA = ("mean", "median"), ("fltrust",)
"""The reference rules, and those for a server with root data."""


def reference_rules(request: AuditRequest) -> Mapping[str, Section]:
    """Return the sections of the reference rules by name, without the audited rule itself."""
    names = (*ALWAYS, *(WITH_ROOT_DATA if request.config.data.root_size else ()))
    return {name: {"name": name} for name in names if name != request.defense}


class ReferenceRow(NamedTuple):
    """A rule without an attack, under the worst hand-crafted attack, and under the learned one.

    A cell is None if none of its runs is complete.
    """

    rule: str
    clean: Summary | None
    crafted: Summary | None
    learned: Summary | None
