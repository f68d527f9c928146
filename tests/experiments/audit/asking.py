"""A small audit, which takes no time."""

from dataclasses import replace
from pathlib import Path

import pytest

from sparring.experiments import CATALOGUES, apply_overrides
from sparring.experiments.audit import Audit, AuditPlan, AuditRequest, audit, read_request
from sparring.experiments.audit.contenders import SEARCH
from tests.experiments.small import SETTINGS

TASK = (*SETTINGS[:-3], "federation.rounds=4", "evaluation.every=2", "defense.name=median")
WHITE_BOX = "threat.knowledge=white_box"
"""Grants a handful of attacks."""
SMALL = AuditPlan(unit=24, seconds=4.0, stages={"policies": 1.0, "attacks": 1.0, "references": 1.0, "breaking": 1.0})


def asked(*settings: str, seeds: int = 2, budget: float = 600.0, catalogues=CATALOGUES) -> AuditRequest:
    """Return what the small federation, with further settings, asks for."""
    document = apply_overrides({}, (*TASK, "attack.malicious=2", *settings))
    return read_request(document, seeds=seeds, budget=budget, catalogues=catalogues)


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let audits train for a moment, and look every few steps whether they shall stop."""
    monkeypatch.setattr("sparring.experiments.audit.run_audit.measure_plan", lambda *_: SMALL)
    hurry(monkeypatch)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches try few candidates in few episodes."""
    few = replace(SEARCH, candidates=4, elites=2, trials=1, kept=2)
    monkeypatch.setattr("sparring.experiments.audit.contenders.SEARCH", few)
    monkeypatch.setattr("sparring.experiments.audit.training.SELECTION_EPISODES", 2)
    monkeypatch.setattr("sparring.learning.learner.CHUNK", 5)
    monkeypatch.setattr("sparring.learning.learner.GROWTH", 1)


def audited(folder: Path, **options) -> Audit:
    return audit(asked(WHITE_BOX), folder, **options)


def left(folder: Path) -> dict[str, bytes]:
    """Return the files of an audit that do not depend on how and when it was played."""
    paths = [folder / "verdict.json", *folder.glob("policies/*/policy-*"), *folder.glob("policies/*/training-*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths) if path.exists()}
