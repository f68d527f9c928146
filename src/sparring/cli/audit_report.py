"""What a finished audit came to, on a terminal and as a page."""

from pathlib import Path

from sparring.cli.console import show_facts, show_paragraphs
from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.report import audit_page, facts, sentences
from sparring.experiments.report.study import Study


def show_audit(folder: Path, *, gap: float) -> None:
    """Print the verdict."""
    done, asked = read_audit(folder, gap=gap)
    show_facts(facts(done))
    show_paragraphs(sentences(done, asked))


def page_of_audit(folder: Path, study: Study) -> str:
    """Return the page of an audit, whose runs with fresh seeds are a study."""
    done, asked = read_audit(folder, gap=study.gap)
    return audit_page(study, done, request=asked)
