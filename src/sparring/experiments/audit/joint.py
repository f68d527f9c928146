"""The audit of a rule for several goals: one folder with an audit for each, one verdict and one page."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.budget import NAME
from sparring.experiments.audit.goal_words import WORDS
from sparring.experiments.audit.goals import GOALS
from sparring.experiments.audit.recorded_request import Asked
from sparring.experiments.audit.report import describe_audit, list_facts
from sparring.experiments.audit.result import Audit
from sparring.experiments.audit.run_audit import REPORT
from sparring.experiments.jobs.atomic_files import write
from sparring.experiments.report.html_page import load_templates


class AuditPart(NamedTuple):
    """The audit of a rule for one goal, and its request."""

    done: Audit
    asked: Asked

    @property
    def goal(self) -> str:
        """The name of the goal."""
        return self.done.verdict.goal


def list_parts(folder: Path) -> tuple[Path, ...]:
    """Return the folders of the audits in a joint folder, in the order of the goals."""
    return tuple(folder / goal for goal in GOALS if (folder / goal / NAME).exists())


def read_joint(folder: Path, *, gap: float = SMALLEST_GAP) -> tuple[AuditPart, ...]:
    """Return the finished audits in a joint folder."""
    return tuple(AuditPart(*read_audit(part, gap=gap)) for part in list_parts(folder))


def describe_joint(parts: Sequence[AuditPart]) -> tuple[str, ...]:
    """Say what the strongest attack of each goal does to the rule, in one sentence per goal."""
    return tuple(map(_describe_part, parts))


def _describe_part(part: AuditPart) -> str:
    verdict, words = part.done.verdict, WORDS[part.done.verdict.goal]
    strongest, clean = verdict.ranking[0], verdict.clean.mean
    broken = verdict.breaking.clients
    clients = part.asked.config.federation.clients
    needed = (
        f"{broken} of {clients} clients {words.breaks} with {verdict.crafted.attack}"
        if broken is not None
        else f"{verdict.breaking.confirmed_at} of {clients} clients do not {words.breaks} with {verdict.crafted.attack}"
    )
    return (
        f"{part.goal}: with {part.asked.malicious} of {clients} clients malicious, the strongest attack on "
        f"{part.asked.defense} is {strongest.attack}, {words.metric} {strongest.summary.mean:.3f} (accuracy without an "
        f"attack {clean:.3f}); {needed}."
    )


def joint_page(parts: Sequence[AuditPart]) -> str:
    """Return the page of a joint audit as HTML; it links to the page of each goal, beside it in the folder."""
    sections = [
        {
            "goal": part.goal,
            "facts": list_facts(part.done),
            "sentences": describe_audit(part.done, part.asked),
            "link": f"{part.goal}/{REPORT}",
        }
        for part in parts
    ]
    page = load_templates().get_template("joint_audit.html")
    title = f"Audit of {parts[0].asked.defense}: {' and '.join(part.goal for part in parts)}"
    return page.render(title=title, sentences=describe_joint(parts), sections=sections)


def write_joint(folder: Path, parts: Sequence[AuditPart]) -> Path:
    """Write the page of a joint audit, and return its path."""
    path = folder / REPORT
    write(path, joint_page(parts).encode())
    return path
