"""Backdoor federated learning (Bagdasaryan et al., 2020): train on triggered images, and replace the global model."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sparring.arrays import Batch, Matrix
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError
from sparring.random import Generator


def replacement_factor(sampled: int, malicious: int, *, server_lr: float = 1.0) -> float:
    """Return γ = n / η (below equation 3), shared by the malicious clients.

    If the benign updates cancel out, the server that applies the mean of n updates at rate η moves from w to X, where
    the malicious updates are γ (w - X).
    """
    return sampled / (server_lr * malicious)


@dataclass(frozen=True)
class PoisonedTraining(BackdoorPoison):
    r"""Train on the malicious clients' examples, a fraction of which has the trigger, and submit the update.

    $$u \leftarrow \gamma u$$

    $\gamma$ is the `boost`.

    A boost turns it into model replacement. Values that overflow float32 become its largest number.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    boost: float | None = 1.0
    """Factor on the update; null means γ = n / η with n sampled clients and a server learning rate η of 1."""
    paper: ClassVar[str] = "Bagdasaryan et al., 2020, How to backdoor federated learning, AISTATS"
    cost: ClassVar[str] = "O(f d), and a trigger on the images of each batch"
    assumption: ClassVar[str] = "malicious clients are sampled often, or the rule does not bound a boosted update"

    def __post_init__(self) -> None:
        check_implant("bfl", self)
        if self.boost is not None and not 0 < self.boost < inf:
            raise ConfigError(f"bfl.boost is {self.boost}; it must be positive and finite")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        return self.implanted(batch, self.trigger, rng=rng)

    def craft(self, view: BlackBoxView) -> Matrix:
        boost = replacement_factor(view.sampled, len(view.clients)) if self.boost is None else self.boost
        return own_updates(view).mul_(boost).nan_to_num_()
