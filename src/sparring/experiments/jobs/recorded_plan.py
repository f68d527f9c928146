"""The file of a long job that keeps its request, and the plan that its budget was converted into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.errors import ConfigError
from sparring.experiments.jobs.atomic_files import read_json, write_json


@dataclass(frozen=True)
class PlanFile:
    """The kind of job that a file belongs to, and the form of the file."""

    name: str
    """The name of the file."""
    marker: str
    """The key that identifies the kind of job, with the version of the form."""
    version: int
    what: str
    """The job in words, as in `audit`."""
    key: str = "effort"
    """The key of the plan."""

    def read(self, folder: Path, digest: str) -> Mapping[str, Any] | None:
        """Return the plan that a folder records; None if there is none. The folder of another request is rejected."""
        content = self.content(folder)
        if content is None:
            return None
        if content["digest"] != digest:
            raise ConfigError(f"{folder} holds another {self.what}; choose another folder")
        plan: Mapping[str, Any] = content[self.key]
        return plan

    def content(self, folder: Path) -> dict[str, Any] | None:
        """Return all that the file holds; None if it is missing or another kind of file."""
        found = read_json(folder / self.name)
        return found if isinstance(found, dict) and found.get(self.marker) == self.version else None

    def write(
        self, folder: Path, digest: str, *, asked: Mapping[str, Any], plugins: Sequence[str], plan: Mapping[str, Any]
    ) -> None:
        """Record a request and its plan."""
        content = {
            self.marker: self.version,
            "digest": digest,
            "asked": asked,
            "plugins": list(plugins),
            self.key: plan,
        }
        write_json(folder / self.name, content)
