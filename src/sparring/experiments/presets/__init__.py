"""Published tables and figures, a file each."""

from collections.abc import Mapping

from sparring.errors import UnknownName
from sparring.experiments.presets.marl_fig2 import MARL_FIG2
from sparring.experiments.presets.msg_table1 import MSG_TABLE1
from sparring.experiments.presets.msg_table4 import MSG_TABLE4
from sparring.experiments.presets.msg_table7 import MSG_TABLE7
from sparring.experiments.presets.preset import SCALES, Preset, Published, Scale, plan_of
from sparring.experiments.presets.rla_fig3 import RLA_FIG3
from sparring.registry import offer

PRESETS: Mapping[str, Preset] = {
    "rla-fig3": RLA_FIG3,
    "marl-fig2": MARL_FIG2,
    "msg-table1": MSG_TABLE1,
    "msg-table4": MSG_TABLE4,
    "msg-table7": MSG_TABLE7,
}


def preset(name: str) -> Preset:
    """Return the preset of a published table or figure; underscores count as hyphens."""
    found = PRESETS.get(name.replace("_", "-"))
    if found is None:
        raise UnknownName(f"unknown preset {name!r}{offer(name, PRESETS)}")
    return found


__all__ = ["PRESETS", "SCALES", "Preset", "Published", "Scale", "plan_of", "preset"]
