"""The published table that a study reproduces, if it does, and what became of its claims."""

from typing import NamedTuple

from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.presets import PRESETS
from sparring.experiments.presets.preset import SCALES, Preset
from sparring.experiments.presets.reproduction import judgments
from sparring.experiments.report.study import Study


class Reproduced(NamedTuple):
    """What was published, in what the study differs from it, and what its results say of the claims."""

    preset: Preset
    differences: tuple[str, ...]
    judgments: tuple[Judgment, ...]


def reproduced(study: Study) -> Reproduced | None:
    """Judge the claims of a study's preset; there is none where this version of Sparring does not know it."""
    named = study.preset or {}
    preset: Preset | None = PRESETS.get(named.get("id", ""))
    scale = next((scale for scale in SCALES if scale == named.get("scale")), None)
    if preset is None or scale is None:
        return None
    return Reproduced(preset, preset.differences[scale], judgments(preset, scale, runs=study.frame, gap=study.gap))
