"""PGD backdoor (Wang et al., 2020): backdoor training projected onto a ball around the global model."""

from dataclasses import dataclass
from functools import partial
from math import inf
from typing import ClassVar

from sparring.arrays import Batch, Matrix, Vector, row_norms
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError
from sparring.random import Generator


def on_ball(update: Vector, radius: float) -> Vector:
    """Return the point nearest to `update` whose norm is at most `radius`."""
    norm = row_norms(update[None])[0]
    return update if norm <= radius else (update.double() * (radius / norm)).float()


@dataclass(frozen=True)
class ProjectedBackdoor(BackdoorPoison):
    r"""Train on triggered images, and project the model onto a ball around the global model after every local step.

    $$u \leftarrow u \min\left(1, \frac{r}{\lVert u \rVert}\right) \quad \text{after every local step}$$

    $r$ is the `radius`.

    The submitted update passes any norm bound that is at least `radius`.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    radius: float = 0.05
    """The largest norm of a submitted update."""
    paper: ClassVar[str] = (
        "Wang et al., 2020, Attack of the tails: yes, you really can backdoor federated learning, NeurIPS"
    )
    cost: ClassVar[str] = "O(d) a step, and a trigger on the images of each batch"
    assumption: ClassVar[str] = "the rule accepts updates of a norm in which a backdoor can be learned"

    def __post_init__(self) -> None:
        check_implant("pgd", self)
        if not 0 < self.radius < inf:
            raise ConfigError(f"pgd.radius is {self.radius}; it must be positive and finite")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        return self.implanted(batch, self.trigger, rng=rng)

    def craft(self, view: BlackBoxView) -> Matrix:
        return own_updates(view, partial(on_ball, radius=self.radius))
