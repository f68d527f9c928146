"""No repair: the trained model is deployed unchanged."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.random import Generator


@dataclass(frozen=True)
class NoRepair:
    """Deploy the model unchanged."""

    needs_root: ClassVar[bool] = False
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "nothing"
    assumption: ClassVar[str] = "the trained model has no backdoor"

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        return model
