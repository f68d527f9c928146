"""The request of an audit as reports see it: either a request, or its record in an audit's folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from sparring.experiments.audit.goals import GOALS, UNTARGETED, Goal
from sparring.experiments.config.recorded import read_recorded
from sparring.experiments.config.schema import Config
from sparring.experiments.config.sections import Section

BESIDE = ("seeds", "budget", "malicious", "start", "attacks")
"""The keys of an audit's document in addition to the configuration of a run without attack."""
BESIDE_BACKDOOR = ("goal", "backdoor", "own")
"""Those of an audit with backdoors in addition."""


class Asked(Protocol):
    """The request of an audit."""

    @property
    def config(self) -> Config:
        """The run without an attack."""

    @property
    def defense(self) -> str:
        """The name of the rule."""

    @property
    def malicious(self) -> int:
        """The number of malicious clients."""

    @property
    def start(self) -> int:
        """The first round of the attack."""

    @property
    def budget(self) -> float:
        """The time for the whole audit in seconds."""

    @property
    def fresh(self) -> Sequence[int]:
        """The seeds of every measurement."""

    @property
    def own(self) -> Mapping[str, Section]:
        """The attack named in the configuration, if any."""

    @property
    def goal(self) -> Goal:
        """What the attackers want."""

    @property
    def backdoor(self) -> Section | None:
        """Trigger, target and source of all backdoors; None if the goal is another."""

    @property
    def plugins(self) -> Sequence[str]:
        """The modules of the required plug-ins."""

    @property
    def document(self) -> Mapping[str, Any]:
        """The complete request."""


@dataclass(frozen=True)
class RecordedRequest:
    """The request recorded in an audit's folder; nothing that it names is imported or built."""

    document: Mapping[str, Any]
    plugins: tuple[str, ...]

    @cached_property
    def config(self) -> Config:
        return read_recorded(
            {key: value for key, value in self.document.items() if key not in (*BESIDE, *BESIDE_BACKDOOR)}
        )

    @property
    def defense(self) -> str:
        return str(self.config.defense["name"])

    @property
    def malicious(self) -> int:
        return int(self.document["malicious"])

    @property
    def goal(self) -> Goal:
        return GOALS[self.document.get("goal", UNTARGETED.name)]

    @property
    def backdoor(self) -> Section | None:
        return self.document.get("backdoor")

    @property
    def start(self) -> int:
        return int(self.document["start"])

    @property
    def budget(self) -> float:
        return float(self.document["budget"])

    @property
    def fresh(self) -> Sequence[int]:
        return range(self.config.seed, self.config.seed + int(self.document["seeds"]))

    @property
    def own(self) -> Mapping[str, Section]:
        """The attack with its own settings: attacks of the catalogue are run with their defaults."""
        if "own" in self.document:
            return dict(self.document["own"])
        return {label: section for label, section in self.document["attacks"].items() if len(section) > 1}
