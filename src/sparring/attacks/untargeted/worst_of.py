"""Worst-of: inner product manipulation or a little is enough, with the factor that harms the known rule most.

IPM (Xie et al., 2020) and ALIE (Baruch et al., 2019) each have one factor, which the papers fix in advance. An attacker
that knows the rule and the round's updates can search for the best factor instead.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import inf
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.attacks.untargeted.observed_updates import benign_updates, moments, own_updates, products
from sparring.attacks.untargeted.rule_simulation import simulate_rule
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.errors import ConfigError

Kind = Literal["ipm", "alie"]


class AttackLine(NamedTuple):
    """The updates that one attack can choose from: `start + factor * direction`."""

    start: Tensor
    direction: Tensor

    def at(self, factor: float) -> Vector:
        """Return the update with this factor; values that overflow float32 become its largest number."""
        return (self.start + factor * self.direction).float().nan_to_num_()


class Candidate(NamedTuple):
    """An attack and its factor."""

    kind: Kind
    factor: float


def lines(benign: Matrix) -> Mapping[Kind, AttackLine]:
    """Return the lines of IPM, -factor · mean, and of ALIE, mean - factor · deviation."""
    mean, deviation = moments(benign)
    return {"ipm": AttackLine(torch.zeros_like(mean), -mean), "alie": AttackLine(mean, -deviation)}


def most_harmful(harm: Callable[[Candidate], float], grid: Iterable[Candidate], *, refinements: int) -> Candidate:
    """Return the best candidate of the grid, improved by `refinements` local searches around it.

    Each tries the best factor times and divided by √2, then by the fourth root of 2, and so on. Ties go to the first.
    """
    best = max(grid, key=harm)
    for look in range(1, refinements + 1):
        ratio = 2**0.5**look
        sides = (best._replace(factor=best.factor / ratio), best._replace(factor=best.factor * ratio))
        best = max(best, *sides, key=harm)
    return best


@dataclass(frozen=True)
class WorstOf:
    r"""Submit the IPM or ALIE update, with any factor, whose aggregate under the server's rule is the most harmful.

    $$\max_{a, \lambda} \; -\langle \mathrm{rule}(u_a(\lambda)), \mu \rangle, \quad
    u_{\mathrm{ipm}}(\lambda) = -\lambda \mu, \quad u_{\mathrm{alie}}(\lambda) = \mu - \lambda \sigma$$

    $\mu$ and $\sigma$ are mean and standard deviation of the benign updates.

    The harm of an aggregate is minus its inner product with the benign mean: to first order, how much it raises the
    loss that benign training lowers. Each round the rule is simulated, with its memory, on every factor of the grid
    for each attack of `of`, then on two more for each refinement: 24 times by default, on one copy of the updates. In
    a round without benign updates the clients submit their own.
    """

    needs: ClassVar[type[BlackBoxView]] = OmniscientView
    of: tuple[Kind, ...] = get_args(Kind)
    """The attacks to try: `ipm`, `alie` or both."""
    factors: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    """IPM scales and ALIE z values to try; ties go to the first."""
    refinements: int = 3
    """How often the factors around the most harmful one are tried on a finer grid, from 0 to 50."""
    paper: ClassVar[str] = (
        "Xie et al., 2020, Fall of empires: breaking Byzantine-tolerant SGD by inner product manipulation, UAI; Baruch "
        "et al., 2019, A little is enough: circumventing defenses for distributed learning, NeurIPS"
    )
    cost: ClassVar[str] = "one round of the rule for each factor that is tried"
    assumption: ClassVar[str] = "the attacker knows the rule, its memory and this round's benign updates"

    def __post_init__(self) -> None:
        if not self.of or not set(self.of) <= set(get_args(Kind)):
            raise ConfigError(
                f"worst_of.of is {list(self.of)}; it must name one or both of: {', '.join(get_args(Kind))}"
            )
        if not self.factors or not all(0 < factor < inf for factor in self.factors):
            raise ConfigError(f"worst_of.factors is {list(self.factors)}; it must hold positive and finite numbers")
        if not 0 <= self.refinements <= 50:
            raise ConfigError(f"worst_of.refinements is {self.refinements}; it must be from 0 to 50")

    def craft(self, view: OmniscientView) -> Matrix:
        benign = benign_updates(view)
        if len(benign) == 0:
            return own_updates(view)
        offered, answer = lines(benign), simulate_rule(view)
        mean = -offered["ipm"].direction

        @cache
        def harm(candidate: Candidate) -> float:
            step = answer(offered[candidate.kind].at(candidate.factor))
            return -float(products(step[None], mean[None]))

        grid = (Candidate(kind, factor) for kind, factor in product(self.of, self.factors))
        worst = most_harmful(harm, grid, refinements=self.refinements)
        return offered[worst.kind].at(worst.factor).expand(len(view.clients), -1)
