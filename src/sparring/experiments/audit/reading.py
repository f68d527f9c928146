"""From the folder of an audit to what it came to: nothing is played, and no plug-in is needed."""

from pathlib import Path
from typing import Any

from sparring.errors import RunError
from sparring.experiments.analysis.frames import frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit.asked import Asked, RecordedRequest
from sparring.experiments.audit.audit import VERDICT
from sparring.experiments.audit.effort import FORMAT, NAME, Effort
from sparring.experiments.audit.outcome import Audit, Trained
from sparring.experiments.audit.stages import MEASURED, POLICIES, REHEARSED
from sparring.experiments.audit.training import POLICY, Taught, returns_of
from sparring.experiments.audit.verdict import Breaking, judged, left
from sparring.experiments.jobs.atomic_files import read_json


def read_audit(folder: str | Path, *, gap: float = SMALLEST_GAP) -> tuple[Audit, Asked]:
    """Return what a finished audit came to, and what was asked for; intervals are computed again from its runs."""
    folder = Path(folder)
    content, verdict = read_json(folder / NAME), read_json(folder / VERDICT)
    if not isinstance(content, dict) or content.get("sparring_audit") != FORMAT:
        raise RunError(f"{folder} holds no audit; give a folder that `sparring audit` made")
    if verdict is None:
        raise RunError(f"{folder} holds an audit that is not complete; resume it by the command that began it")
    runs = frame(folder / MEASURED)
    crafted, learned = (verdict[side]["attack"] for side in ("crafted", "learned"))
    done = judged(runs, left(runs, crafted), learned=learned, breaking=_breaking(verdict["halved_by"]), gap=gap)
    policies = _policies(folder, Effort(**content["effort"]))
    asked = RecordedRequest(content["asked"], tuple(content["plugins"]))
    return Audit(folder, Effort(**content["effort"]), done, policies), asked


def _breaking(halved: dict[str, Any]) -> Breaking:
    tried = {int(count): accuracy for count, accuracy in halved["tried"].items()}
    return Breaking(tried, halved["clients"], halved["learned"]["accuracy"])


def _policies(folder: Path, effort: Effort) -> dict[str, Trained]:
    rehearsed = frame(folder / REHEARSED)
    places = {f"learned {place}": folder / POLICIES / str(place) for place in range(1, effort.policies + 1)}
    return {
        label: Trained(Taught(place / POLICY, returns_of(place)), left(rehearsed, label).summary.mean)
        for label, place in places.items()
    }
