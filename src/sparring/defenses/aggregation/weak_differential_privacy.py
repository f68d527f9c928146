"""Weak differential privacy (Sun et al., 2019): the mean of clipped updates plus noise."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix, Vector
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.clipped import clip_rows
from sparring.defenses.aggregation.mean import mean
from sparring.defenses.aggregation.norm_bounding import NormBounding
from sparring.defenses.aggregation.toolkit.arithmetic import add_noise, drop_non_finite
from sparring.random import Generator
from sparring.validation import at_least, check_matrix, positive


def weak_differential_privacy(updates: Matrix, max_norm: float, *, noise: float, rng: Generator) -> Vector:
    """Clip the rows to `max_norm`, average, and add noise of this standard deviation; return zeros without rows."""
    updates = check_matrix("weak_differential_privacy", updates)
    at_least(0, "weak_differential_privacy", noise=noise)
    return _add_noise(mean(clip_rows(updates, max_norm)), updates, noise=noise, rng=rng)


def _add_noise(step: Vector, updates: Matrix, *, noise: float, rng: Generator) -> Vector:
    """Add noise to the step, unless there was no finite row."""
    return add_noise(step, noise, rng=rng) if len(drop_non_finite(updates)) > 0 else step


@dataclass(frozen=True)
class WeakDifferentialPrivacy:
    r"""Clip the norm of every update, average, and add Gaussian noise that is too weak for a privacy guarantee.

    $$\frac{1}{n} \sum_{i=1}^{n} u_i \min\left(1, \frac{c}{\lVert u_i \rVert}\right) + \mathcal{N}(0, \sigma^2)$$

    $c$ is `max_norm`, and $\sigma$ is `noise`.

    The defaults are the norm bound and the noise level that the meta-Stackelberg game (MSG) states for CRFL.
    """

    max_norm: float = 0.02
    """The largest L2 norm of an update, above 0; longer updates are scaled down to it."""
    noise: float = 0.001
    """Standard deviation of the noise on each coordinate of the mean."""
    family: ClassVar[Family] = "clipping"
    paper: ClassVar[str] = "Sun et al., 2019, Can you really backdoor federated learning?, arXiv:1911.07963"
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = (
        "few updates are malicious, benign updates mostly keep to the norm bound, and the model tolerates the noise"
    )

    def __post_init__(self) -> None:
        positive("weak_differential_privacy", max_norm=self.max_norm)
        at_least(0, "weak_differential_privacy", noise=self.noise)

    def limit(self, clients: int) -> int:
        return clients

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        step, memory = NormBounding(self.max_norm).aggregate(view, memory)
        return _add_noise(step, view.updates, noise=self.noise, rng=view.rng), memory
