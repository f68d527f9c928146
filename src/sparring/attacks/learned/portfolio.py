"""A portfolio of attack directions, since an RL attack is a synthesis of existing ones (MSG, section 3.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch

from sparring.arrays import Matrix, Vector, row_norms
from sparring.attacks.learned.local_search import LocalSearch
from sparring.attacks.untargeted.observed_updates import mean_update, own_updates
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError

DIRECTIONS = ("local_search", "reverse", "reverse_sign", "ascent")
"""The directions that a white-box attacker can compute: the local search down its loss, submitted in reverse; the mean
of its own updates, reversed; the sign of that; and the stealthy local search up its loss."""


@dataclass(frozen=True)
class Portfolio:
    r"""Submit a mixture of attack directions at a length in units of the attackers' own updates.

    $$c \mu + \gamma \ell \frac{\sum_k w_k d_k}{\lVert \sum_k w_k d_k \rVert}$$

    $\mu$ is the mean of the malicious clients' own updates and $\ell$ the median of their norms, $d_k$ are unit vectors
    along the directions, $w_k$ their weights, $c$ is `center` and $\gamma$ is `scale`. With weights of 0, or directions
    that cancel, only $c \mu$ is submitted.
    """

    weights: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)
    """The weight of each direction in `DIRECTIONS`; a direction of weight 0 is not computed."""
    scale: float = 5.0
    """γ: the length of the mixture."""
    center: float = 0.0
    """c: how much of the own mean update is added; with 1 and a small scale the updates look benign."""
    steps: int = 10
    """E: number of steps of the local searches."""
    stealth: float = 0.5
    """λ of the ascent."""
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def __post_init__(self) -> None:
        if len(self.weights) != len(DIRECTIONS) or not all(0 <= weight < inf for weight in self.weights):
            raise ConfigError(
                f"portfolio.weights is {list(self.weights)}; give {len(DIRECTIONS)} numbers of at least 0, for "
                f"{', '.join(DIRECTIONS)}"
            )
        for name in ("scale", "center"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"portfolio.{name} is {getattr(self, name)}; it must be at least 0 and finite")

    def craft(self, view: BlackBoxView) -> Matrix:
        own = own_updates(view)
        mean, length = mean_update(own), float(row_norms(own).median())
        makers = self._makers(view, mean)
        parts = [
            weight * _unit(makers[name]()) for name, weight in zip(DIRECTIONS, self.weights, strict=True) if weight > 0
        ]
        mixture = _unit(torch.stack(parts).sum(dim=0)) if parts else torch.zeros_like(mean)
        submitted = mixture.mul_(self.scale * length).add_(mean, alpha=self.center)
        return submitted.nan_to_num_().expand(len(view.clients), -1)

    def _makers(self, view: BlackBoxView, mean: Vector) -> Mapping[str, Callable[[], Vector]]:
        """Return how each direction is computed."""
        descent = LocalSearch(scale=1.0, steps=self.steps)
        ascent = LocalSearch(scale=1.0, steps=self.steps, stealth=self.stealth, variant="ascent")
        return {
            "local_search": lambda: descent.craft(view)[0],
            "reverse": lambda: -mean,
            "reverse_sign": lambda: -mean.sign(),
            "ascent": lambda: ascent.craft(view)[0],
        }


def _unit(vector: Vector) -> Vector:
    """Return a vector of length 1 along `vector`; zeros stay zeros."""
    length = torch.linalg.vector_norm(vector)
    return vector / length if length > 0 else torch.zeros_like(vector)
