"""Action spaces of a team: every member decides a few numbers in [-1, 1], by its rank (MARL, section 3.4).

The members are the sampled malicious clients; a rank is the position of a client among them in ascending order. What
the members of a round decide together is decoded to one attack, which submits one row for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Batch, FloatArray, Matrix, Vector, finite_rows, row_norms
from sparring.attacks.untargeted.observed_updates import mean_update, own_updates
from sparring.attacks.untargeted.scaled_gradient import ranks_of, times_own_updates
from sparring.contracts import Attack, BlackBoxView, Network, Team
from sparring.errors import ConfigError
from sparring.policies.action_space import Range, Spacing, map_to_range
from sparring.training import Batched
from sparring.training.descent import descend_each


class MemberDecoder(Protocol):
    """The decoding of what the members of a team decide to the team's attack."""

    def size(self, network: Network) -> int:
        """Return how many numbers a member decides."""

    def attack(self, actions: FloatArray) -> Attack:
        """Return the attack that `[ranks, numbers]` actions encode; numbers are clipped to [-1, 1].

        There are at least as many rows as sampled malicious clients; the rows of absent ranks are ignored.
        """


@dataclass(frozen=True)
class TeamActions:
    """The action space of a team's seat: the numbers of all ranks, one after the other."""

    acting: MemberDecoder
    team: Team

    def size(self, network: Network) -> int:
        return self.team.ranks * self.acting.size(network)

    def attack(self, action: FloatArray) -> Attack:
        return self.acting.attack(action.reshape(self.team.ranks, -1))


@dataclass(frozen=True)
class ScaledGradientActions:
    r"""Decode a member's number to the factor on its own update, with gradient rescaling.

    $$\tilde a = \frac{a\,(\zeta_{\max} - \zeta_{\min}) + \zeta_{\max} + \zeta_{\min}}{2\,|\zeta_{\max}|}$$

    $\zeta_{\min}$ and $\zeta_{\max}$ are the extreme values that occur in any coordinate of the gradient of any learned
    sample at the round's model. So [-1, 1] is mapped to [$\zeta_{\min}/|\zeta_{\max}|$, 1] where $\zeta_{\max}$ is
    positive.
    """

    rescaled: int = 64
    """Maximum number of learned samples for the extreme values, spaced evenly; 0 uses `within` instead."""
    within: Range = (-1.0, 1.0)
    """The factors without rescaling."""
    stealth: float = 0.0
    """ρ: weight of the distance to the others' update; see `drawn_to_others`."""

    def __post_init__(self) -> None:
        _check_stealth(self.stealth)
        if self.rescaled < 0:
            raise ConfigError(f"acting.rescaled is {self.rescaled}; it must be at least 0")
        low, high = self.within
        if not -inf < low <= high < inf:
            raise ConfigError(f"acting.within is {[low, high]}; it must rise, and be finite")

    def size(self, network: Network) -> int:
        return 1

    def attack(self, actions: FloatArray) -> "ScaledUpdates":
        return ScaledUpdates(np.clip(actions[:, 0], -1, 1), self)


@dataclass(frozen=True, eq=False)
class ScaledUpdates:
    """Each member's own update times a factor that its number encodes."""

    numbers: FloatArray
    acting: ScaledGradientActions
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view: BlackBoxView) -> Matrix:
        low, high = self._range(view)
        shares = (rows_of(view, self.numbers) + 1) / 2
        return _make_stealthy(times_own_updates(view, low + (high - low) * shares), view, weight=self.acting.stealth)

    def _range(self, view: BlackBoxView) -> Range:
        if self.acting.rescaled == 0:
            return self.acting.within
        learned = view.shards.shared(self.acting.rescaled)[view.clients[0]]
        found = rescaled_range(view.network, view.parameters, learned)
        return self.acting.within if found is None else found


def rescaled_range(network: Network, parameters: Vector, examples: Batch) -> Range | None:
    """Return ζ_min/|ζ_max| and ζ_max/|ζ_max|, between which gradient rescaling maps a member's number.

    ζ_min and ζ_max are the extreme coordinates of the examples' gradients. None if ζ_max is 0, or nothing is finite.
    """
    alone = Batch(*(part[:, None, None] for part in examples))
    out = parameters.new_empty(len(examples.labels), network.size)
    gradients = Batched().updates(network, parameters, batches=alone, lr=1.0, out=out)
    gradients = gradients[finite_rows(gradients)]
    if len(gradients) == 0 or (highest := float(gradients.max())) == 0:
        return None
    bounds = float(gradients.min()) / abs(highest), highest / abs(highest)
    return bounds if np.isfinite(bounds).all() else None


@dataclass(frozen=True)
class SeparateSearchActions:
    """Decode a member's two numbers to γ and E of a local search of its own, on its own data.

    Each searches as `LocalSearch` with `reversed_descent` does (Li et al., 2022), and submits its own scaled step.
    """

    scale: Range = (0.1, 100.0)
    """γ: the range of the factors on the step."""
    steps: Range = (1, 50)
    """E: the range of the numbers of steps."""
    spacing: Spacing = "log"
    """Whether γ and E run through their ranges in equal steps, or in equal factors."""
    relative: bool = True
    """Whether γ is the length of the update in units of the median norm of the members' own updates."""
    lr: float | None = None
    """Learning rate of the searches; null means the clients' own."""
    batch: int | None = None
    """Minibatch size of the searches; null means the clients' own."""
    stealth: float = 0.0
    """ρ: weight of the distance to the others' update; see `drawn_to_others`."""

    def __post_init__(self) -> None:
        _check_stealth(self.stealth)
        for name, (low, high) in {"scale": self.scale, "steps": self.steps}.items():
            if not 0 < low <= high < inf:
                raise ConfigError(f"acting.{name} is {[low, high]}; it must rise from above 0")
        if self.batch is not None and self.batch < 1:
            raise ConfigError(f"acting.batch is {self.batch}; it must be at least 1")

    def size(self, network: Network) -> int:
        return 2

    def attack(self, actions: FloatArray) -> "SeparateSearches":
        return SeparateSearches(actions, self)


@dataclass(frozen=True, eq=False)
class SeparateSearches:
    """A local search of each member, all in lock-step; one that diverges ends at its last finite point and is noted."""

    actions: FloatArray
    acting: SeparateSearchActions
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view: BlackBoxView) -> Matrix:
        acting, rows = self.acting, rows_of(view, self.actions).tolist()
        counts = [max(1, round(map_to_range(steps, acting.steps, spacing=acting.spacing))) for _, steps in rows]
        scales = [map_to_range(scale, acting.scale, spacing=acting.spacing) for scale, _ in rows]
        batches = view.shards.draw(
            view.clients,
            view.rng.spawn(len(rows)),
            steps=max(counts),
            size=view.recipe.batch if acting.batch is None else acting.batch,
        )
        lr = view.recipe.lr if acting.lr is None else acting.lr
        walked = descend_each(view.network, view.parameters, batches=batches, steps=counts, lr=lr)
        if walked.diverged:
            view.note("diverged", walked.diverged)
        ways = walked.ends - view.parameters
        lengths = torch.tensor(scales, device=ways.device)
        if acting.relative:
            lengths = lengths * _inverses(row_norms(ways)) * float(row_norms(view.own()).nanmedian())
        submitted = ways.mul_(lengths.float()[:, None]).nan_to_num_()
        return _make_stealthy(submitted, view, weight=acting.stealth)


def _inverses(norms: Tensor) -> Tensor:
    """Return 1 / norms; 0 for a norm of 0."""
    return torch.where(norms > 0, 1 / norms, 0.0)


@dataclass(frozen=True)
class MemberUpdateActions:
    """Decode a member's numbers to its update itself, for small models: each number times `bound`."""

    bound: float = 1.0
    stealth: float = 0.0
    """ρ: weight of the distance to the others' update; see `drawn_to_others`."""

    def __post_init__(self) -> None:
        _check_stealth(self.stealth)
        if not 0 < self.bound < inf:
            raise ConfigError(f"acting.bound is {self.bound}; it must be positive and finite")

    def size(self, network: Network) -> int:
        return network.size

    def attack(self, actions: FloatArray) -> "MemberUpdates":
        return MemberUpdates(np.clip(actions, -1, 1).astype(np.float32) * np.float32(self.bound), self.stealth)


@dataclass(frozen=True, eq=False)
class MemberUpdates:
    """A given update from each member."""

    updates: FloatArray
    stealth: float = 0.0
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view: BlackBoxView) -> Matrix:
        submitted = torch.from_numpy(rows_of(view, self.updates)).to(view.parameters.device)
        return _make_stealthy(submitted, view, weight=self.stealth)


def rows_of(view: BlackBoxView, actions: FloatArray) -> FloatArray:
    """Return the row of each of the view's clients, by its rank, as a copy."""
    if len(view.clients) > len(actions):
        raise ConfigError(
            f"a team of {len(actions)} ranks has {len(view.clients)} sampled clients; give one row of actions for each"
        )
    return actions[ranks_of(view.clients)]


def drawn_to_others(submitted: Matrix, expected: Vector, *, weight: float) -> Matrix:
    r"""Return the rows as a stealth term moves them towards what the attackers expect the others to submit.

    $$\frac{u_i + \rho\, \bar g}{1 + \rho}$$

    This minimizes $\lVert u - u_i \rVert^2 + \rho \lVert u - \bar g \rVert^2$ in $u$; $\rho$ is `weight`, and $\bar g$
    is `expected` (equation 3 of Bhagoji et al., 2019, which appendix B.1 of MARL names).
    """
    return submitted.lerp(expected.expand_as(submitted), weight / (1 + weight)).nan_to_num_()


def _make_stealthy(submitted: Matrix, view: BlackBoxView, *, weight: float) -> Matrix:
    """Draw rows towards what the last round moved the model by; before that, towards the mean of the own updates."""
    if weight == 0:
        return submitted
    moved = None if view.previous is None else view.previous - view.parameters
    is_known = moved is not None and bool(moved.any()) and bool(torch.isfinite(moved).all())
    expected = moved if moved is not None and is_known else mean_update(own_updates(view))
    return drawn_to_others(submitted, expected, weight=weight)


def _check_stealth(stealth: float) -> None:
    if not 0 <= stealth < inf:
        raise ConfigError(f"acting.stealth is {stealth}; it must be at least 0 and finite")


TEAM_ACTING: Mapping[str, type[MemberDecoder]] = {
    "member_update": MemberUpdateActions,
    "scaled_gradient": ScaledGradientActions,
    "separate_search": SeparateSearchActions,
}
"""The members' action decoders, by their names in a saved policy."""
