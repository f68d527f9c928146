"""Published tables, figures and theorems, a file each."""

from collections.abc import Mapping

from sparring.errors import UnknownName
from sparring.experiments.presets.calculation import Calculation
from sparring.experiments.presets.marl_fig2 import MARL_FIG2
from sparring.experiments.presets.msg_table1 import MSG_TABLE1
from sparring.experiments.presets.msg_table4 import MSG_TABLE4
from sparring.experiments.presets.msg_table7 import MSG_TABLE7
from sparring.experiments.presets.preset import SCALES, Preset, Published, Scale, plan_of
from sparring.experiments.presets.rla_bound import RLA_BOUND
from sparring.experiments.presets.rla_fig3 import RLA_FIG3, RLA_FIG3_APPENDIX
from sparring.experiments.presets.rla_fig4 import RLA_FIG4A, RLA_FIG4C
from sparring.experiments.presets.rla_krum import RLA_FIG3_KRUM, RLA_FIG4A_KRUM
from sparring.registry import offer

PRESETS: Mapping[str, Preset] = {
    "rla-fig3": RLA_FIG3,
    "rla-fig3-appendix": RLA_FIG3_APPENDIX,
    "rla-fig3-krum": RLA_FIG3_KRUM,
    "rla-fig4a": RLA_FIG4A,
    "rla-fig4a-krum": RLA_FIG4A_KRUM,
    "rla-fig4c": RLA_FIG4C,
    "marl-fig2": MARL_FIG2,
    "msg-table1": MSG_TABLE1,
    "msg-table4": MSG_TABLE4,
    "msg-table7": MSG_TABLE7,
}
"""What is played as a sweep."""

CALCULATIONS: Mapping[str, Calculation] = {"rla-bound": RLA_BOUND}
"""What is calculated."""


def preset(name: str) -> Preset | Calculation:
    """Return the preset of a published table, figure or theorem; underscores count as hyphens."""
    known: Mapping[str, Preset | Calculation] = {**PRESETS, **CALCULATIONS}
    found = known.get(name.replace("_", "-"))
    if found is None:
        raise UnknownName(f"unknown preset {name!r}{offer(name, known)}")
    return found


__all__ = ["CALCULATIONS", "PRESETS", "SCALES", "Calculation", "Preset", "Published", "Scale", "plan_of", "preset"]
