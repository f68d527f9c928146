"""Read the result of an audit from its folder, without running anything and without plug-ins."""

from pathlib import Path
from typing import Any

from sparring.errors import RunError
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit.budget import ATTACKS, FILE, AuditPlan
from sparring.experiments.audit.contenders import TD3
from sparring.experiments.audit.goals import Goal
from sparring.experiments.audit.recorded_request import Asked, RecordedRequest
from sparring.experiments.audit.result import HALVED, Audit, Breaking, judge, measure_attack
from sparring.experiments.audit.run_audit import POLICIES, VERDICT, read_references
from sparring.experiments.audit.training import TrainedPolicy, read_best
from sparring.experiments.config.renamed import to_present
from sparring.experiments.jobs.atomic_files import read_json


def read_audit(folder: str | Path, *, gap: float = SMALLEST_GAP) -> tuple[Audit, Asked]:
    """Return a finished audit and its request; intervals are recomputed from its runs."""
    folder = Path(folder)
    content, verdict = FILE.content(folder), read_json(folder / VERDICT)
    if content is None:
        raise RunError(f"{folder} holds no audit; give a folder that `sparring audit` created")
    if verdict is None:
        raise RunError(f"{folder} holds an audit that is not complete; resume it with the command that started it")
    runs = read_frame(folder / ATTACKS)
    crafted, learned = (verdict[side]["attack"] for side in ("crafted", "learned"))
    asked = RecordedRequest(to_present(content["asked"]), tuple(content["plugins"]))
    done = judge(
        runs,
        measure_attack(runs, crafted, goal=asked.goal),
        learned=learned,
        breaking=_read_breaking(verdict[HALVED], asked.goal),
        gap=gap,
        goal=asked.goal,
    )
    done = done._replace(references=read_references(folder, runs, done, rule=asked.defense))
    return Audit(folder, AuditPlan(**content["effort"]), done, _read_policies(folder, asked.goal)), asked


def _read_breaking(halved: dict[str, Any], goal: Goal) -> Breaking:
    tried = {int(count): accuracy for count, accuracy in halved["tried"].items()}
    return Breaking(tried, halved["clients"], halved["learned"][goal.broken])


def _read_policies(folder: Path, goal: Goal) -> dict[str, TrainedPolicy]:
    names = [name for name in (*goal.contenders, TD3) if (folder / POLICIES / name).exists()]
    return {f"learned {name}": read_best(folder / POLICIES / name) for name in names}
