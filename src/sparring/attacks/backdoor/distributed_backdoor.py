"""Distributed backdoor attack, DBA (Xie, Huang et al., 2020): each malicious client uses one part of the trigger."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, get_args, runtime_checkable

from torch import Tensor

from sparring.arrays import Batch
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.contracts import Trigger
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.registry import ADDED_LATER

Choice = Literal["by_id", "random"]
"""How a client's part is chosen: fixed by its id, or drawn in each round in which the client is sampled."""


@runtime_checkable
class DividedTrigger(Protocol):
    """A trigger composed of several triggers."""

    @property
    def parts(self) -> Sequence[Trigger]:
        """The triggers that it is composed of."""

    def stamp(self, images: Tensor) -> Tensor:
        """Return the images with all parts."""


@dataclass(frozen=True)
class DistributedBackdoor(BackdoorPoison):
    """Let each malicious client train on images with one part of the trigger; evaluation uses the whole trigger.

    The client with id i uses part i mod 4 of the four bars, or a random part.
    """

    parts: Choice = field(default="by_id", metadata=ADDED_LATER)
    """`by_id` spreads the parts evenly over the clients; `random` draws each client's part in every round."""
    paper: ClassVar[str] = "Xie, Huang et al., 2020, DBA: distributed backdoor attacks against federated learning, ICLR"
    cost: ClassVar[str] = "a part of the trigger on the images of each batch"
    assumption: ClassVar[str] = (
        "several malicious clients are sampled, so that the model learns all parts of the trigger"
    )

    def __post_init__(self) -> None:
        check_implant("dba", self)
        if self.parts not in get_args(Choice):
            raise ConfigError(f"dba.parts is {self.parts!r}; it must be by_id or random")
        if not isinstance(self.trigger, DividedTrigger):
            name = type(self.trigger).__name__
            raise ConfigError(f"dba.trigger is {name}, which has no parts; use one that has, such as bars")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        assert isinstance(self.trigger, DividedTrigger)
        parts = self.trigger.parts
        index = client % len(parts) if self.parts == "by_id" else int(rng.integers(len(parts)))
        return self.implanted(batch, parts[index], rng=rng)
