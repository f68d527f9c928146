"""Label flipping (Fang et al., 2020, section 5.1)."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Batch
from sparring.errors import ConfigError
from sparring.random import Generator


@dataclass(frozen=True)
class LabelFlip:
    r"""Replace the label l of every example by `classes - 1 - l`.

    $$l \leftarrow C - 1 - l$$

    $C$ is the number of classes.
    """

    classes: int = 10
    """The number of classes of the data set, at least 2; a configuration sets it from the data."""
    paper: ClassVar[str] = (
        "Fang et al., 2020, Local model poisoning attacks to Byzantine-robust federated learning, USENIX Security"
    )
    cost: ClassVar[str] = "the labels of each batch"
    assumption: ClassVar[str] = "malicious clients hold a large share of the examples, and the rule keeps their updates"

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise ConfigError(f"label_flip.classes is {self.classes}; it must be at least 2")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        if (batch.labels >= self.classes).any():
            highest = int(batch.labels.max())
            raise ConfigError(f"label_flip.classes is {self.classes}; the label {highest} needs at least {highest + 1}")
        return batch._replace(labels=self.classes - 1 - batch.labels)
