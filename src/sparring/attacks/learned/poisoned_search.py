"""BRL's local search (Li et al., 2023, as in MSG, appendix C): train from the global model on data with triggers."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sparring.arrays import Batch, Matrix
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.attacks.learned.local_search import pooled_examples, relative_unit
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.training.descent import descend


@dataclass(frozen=True)
class PoisonedSearch:
    r"""Search for a model with a backdoor near the global one, and submit the scaled step to it from every client.

    $$\gamma (w_t - w_E)$$

    $w_E$ is where $E$ steps of descent end on the malicious clients' pooled examples, of which the fraction $\rho$, the
    `ratio` of the backdoor, has the trigger and the target label. A search whose next point is not finite ends at its
    last finite point and is noted in the round's record.
    """

    backdoor: BackdoorPoison
    scale: float = 1.0
    """γ: factor on the step."""
    steps: int = 10
    """E: number of steps of the search."""
    lr: float | None = None
    """Learning rate of the search; null means the clients' own."""
    batch: int | None = None
    """Minibatch size of the search; null means the clients' own."""
    relative: bool = False
    """Whether γ is the length of the update in units of the median norm of the malicious clients' own updates."""
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def __post_init__(self) -> None:
        check_implant("poisoned_search", self.backdoor)
        if not 0 <= self.scale < inf:
            raise ConfigError(f"poisoned_search.scale is {self.scale}; it must be at least 0 and finite")
        if self.steps < 1:
            raise ConfigError(f"poisoned_search.steps is {self.steps}; it must be at least 1")

    def craft(self, view: BlackBoxView) -> Matrix:
        size = view.recipe.batch if self.batch is None else self.batch
        found = descend(
            view.network,
            view.parameters,
            batches=self._poison(pooled_examples(view, steps=self.steps, size=size), view.rng),
            lr=view.recipe.lr if self.lr is None else self.lr,
        )
        if found.has_diverged:
            view.note("diverged", range(len(view.clients)))
        way = view.parameters - found.end
        unit = relative_unit(view, way) if self.relative else 1.0
        return way.mul_(self.scale * unit).nan_to_num_().expand(len(view.clients), -1)

    def _poison(self, batches: Batch, rng: Generator) -> Iterator[Batch]:
        """Yield the minibatches of a `[steps, size, ...]` batch with triggers, which are set in all of them at once."""
        shape = batches.labels.shape
        flat = Batch(*(part.flatten(0, 1) for part in batches))
        poisoned = self.backdoor.implanted(flat, self.backdoor.trigger, rng=rng)
        yield from map(Batch, *(part.unflatten(0, shape).unbind() for part in poisoned))
