"""What an audit was asked for, as whoever shows it sees it: a request, or what an audit's folder records of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from sparring.experiments.config.recorded import read_recorded
from sparring.experiments.config.schema import Config
from sparring.experiments.config.sections import Section

BESIDE = ("seeds", "budget", "malicious", "start", "attacks")
"""What an audit's document says besides the configuration of a run without attack."""


class Asked(Protocol):
    """An audit that was asked for."""

    @property
    def config(self) -> Config:
        """The run without an attack."""

    @property
    def defense(self) -> str:
        """What the rule is called."""

    @property
    def malicious(self) -> int:
        """How many clients attack."""

    @property
    def start(self) -> int:
        """Since when they do."""

    @property
    def budget(self) -> float:
        """Seconds that all of it may take."""

    @property
    def fresh(self) -> Sequence[int]:
        """The seeds that everything is measured with."""

    @property
    def own(self) -> Mapping[str, Section]:
        """The attack that the configuration names, if it does."""

    @property
    def plugins(self) -> Sequence[str]:
        """The modules of the plug-ins that it needs."""

    @property
    def document(self) -> Mapping[str, Any]:
        """All that is asked for."""


@dataclass(frozen=True)
class RecordedRequest:
    """What the folder of an audit says was asked for; nothing that it names is imported or built."""

    document: Mapping[str, Any]
    plugins: tuple[str, ...]

    @cached_property
    def config(self) -> Config:
        return read_recorded({key: value for key, value in self.document.items() if key not in BESIDE})

    @property
    def defense(self) -> str:
        return str(self.config.defense["name"])

    @property
    def malicious(self) -> int:
        return int(self.document["malicious"])

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
        """The attack with settings of its own: those of the catalogue are played with their defaults."""
        return {label: section for label, section in self.document["attacks"].items() if len(section) > 1}
