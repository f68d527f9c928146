"""How many iterations lead to an ε-meta-FOSE, beside the counts of theorem F.8 with measured constants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.games.exact.spring_variants import FollowerType, Incline
from sparring.games.exact.springs import Spring
from sparring.learning.meta.adaptation import Ascent
from sparring.learning.meta.constants import measure_constants
from sparring.learning.meta.policy_gradient import ReturnEstimate
from sparring.learning.meta.residual import meta_residual
from sparring.learning.meta.schedules import Counts, GameConstants, LearningSchedule, learning_schedule
from sparring.learning.meta.typed_tasks import ExactTask
from sparring.learning.stackelberg import MetaStackelberg, StackelbergState
from sparring.random import Generator, stream

STEP = 0.2
"""η of the leader's adaptation."""
ASCENT = Ascent(STEP)
ACCURACIES = (0.1, 0.056, 0.032, 0.018, 0.01)
"""ε, from one to the next by a quarter of a factor of ten."""
EXPONENTS: Mapping[str, float] = {
    "springs": 0.0,
    "flat top": Incline(power=4).exponent,
    "endless rise": Incline(power=-1).exponent,
}
"""The games, and by which power of 1/ε gradient ascent slows down on them; 0 is the logarithm."""
NOISY = "springs"
"""The game that is also learned with noise."""
POINTS = 9
"""Points of each player's strategies between which constants are measured."""


@dataclass(frozen=True)
class NoisyTask:
    """A game with known payoffs whose gradients have noise of a known variance: what assumption F.6 says of estimates.

    Batches of N_b episodes cost nothing this way, however many they are.
    """

    task: ExactTask
    deviation: float
    """σ / √N_b."""

    @property
    def weight(self) -> float:
        return self.task.weight

    @property
    def adaptive(self) -> bool:
        return self.task.adaptive

    def leader(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        """Return J_D at θ, with noise in its gradient."""
        return self._tilt(self.task.leader(theta, phi, rng), theta, rng)

    def follower(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        """Return J_A at φ, with noise in its gradient."""
        return self._tilt(self.task.follower(theta, phi, rng), phi, rng)

    def _tilt(self, estimate: ReturnEstimate, weights: Vector, rng: Generator) -> ReturnEstimate:
        slope = torch.from_numpy(self.deviation * rng.standard_normal(weights.shape)).to(weights.dtype)

        def surrogates(at: Vector) -> Tensor:
            return estimate.surrogates(at) + (slope * at).sum()

        return estimate._replace(surrogates=surrogates)


def draw_types(game: str, rng: Generator) -> tuple[FollowerType, ...]:
    """Draw two types of a game: springs that pull apart, or inclines of unequal steepness."""
    stiff, curved = rng.uniform(0.8, 1.2, 2), np.array([1.0, 1.5]) * rng.uniform(0.9, 1.1, 2)
    if game == "springs":
        return tuple(
            Spring(stiffness=a * given, rest=b, coupling=0.7, curvature=bend)
            for a, b, given, bend in zip((1, 3), (1, -1), stiff, curved, strict=True)
        )
    power = {"flat top": 4.0, "endless rise": -1.0}[game]
    return tuple(
        Incline(power=power, steepness=given, curvature=bend) for given, bend in zip(stiff, curved, strict=True)
    )


def make_tasks(types: Sequence[FollowerType]) -> list[ExactTask]:
    """Return the types as tasks with exact gradients."""
    return [ExactTask(each.leader, each.follower, each.weight) for each in types]


def find_constants(game: str, tasks: Sequence[ExactTask], *, noise: float = 0.0) -> GameConstants:
    """Measure the constants between strategies from the start, 1, to as far as the smallest ε leads."""
    end = {"springs": -1.0, "flat top": 0.05, "endless rise": ACCURACIES[-1] ** -0.5}[game]
    leaders = torch.linspace(1.0, end, POINTS, dtype=torch.float64)[:, None]
    followers = torch.linspace(-1.0, 1.0, POINTS, dtype=torch.float64)[:, None]
    return measure_constants(tasks, leaders, followers, ascent=ASCENT, answer=Ascent(0.5, steps=10), noise=noise)


def iterations_to(accuracies: Sequence[float], residuals: Iterator[float], *, most: int) -> list[int]:
    """Return after how many iterations the residual is at most each ε for the first time, in falling order of ε."""
    found: list[int] = []
    for taken, residual in enumerate(islice(residuals, most)):
        while len(found) < len(accuracies) and residual <= accuracies[len(found)]:
            found.append(taken)
        if len(found) == len(accuracies):
            return found
    return found + [most] * (len(accuracies) - len(found))


def measure_rates(game: str, *, seed: int, accuracies: Sequence[float], most: int) -> list[dict[str, float]]:
    """Return for each ε the iterations that were needed, and the theorem's counts."""
    tasks = make_tasks(draw_types(game, stream(seed, "msg-theory", game)))
    given = find_constants(game, tasks, noise=1.0)
    schedules = [learning_schedule(given, accuracy) for accuracy in accuracies]
    learner = _learner(schedules[-1], schedules[-1].counts)
    taken = iterations_to(accuracies, _residuals(learner, tasks, tasks, seed=seed), most=most)
    return [
        {"accuracy": accuracy, "taken": steps, **describe_schedule(schedule)}
        for accuracy, steps, schedule in zip(accuracies, taken, schedules, strict=True)
    ]


def describe_schedule(schedule: LearningSchedule) -> dict[str, float]:
    """Return the counts: corrected, as lemma F.7 prints them, and as the last display of its proof has them."""
    named = {"corrected": schedule.counts, "printed": schedule.printed, "displayed": schedule.displayed}
    answers = {f"N_A {name}": counts.answers for name, counts in named.items()}
    return {"N_D": schedule.iterations, **answers, **{f"N_b {name}": each.episodes for name, each in named.items()}}


def measure_noise(noise: float, *, accuracy: float, repeats: int, steps: int) -> list[dict[str, float | str]]:
    """Return for each version of N_b how near an equilibrium learning comes: the least mean residual over repeats."""
    tasks = make_tasks(draw_types(NOISY, stream(0, "msg-theory", NOISY)))
    schedule = learning_schedule(find_constants(NOISY, tasks, noise=noise), accuracy)
    rows: list[dict[str, float | str]] = []
    for name, counts in (("corrected", schedule.counts), ("printed", schedule.printed)):
        # The theorem's number of answers is that of the corrected counts, so that episodes alone make the difference.
        learner = _learner(schedule, Counts(schedule.counts.answers, counts.episodes))
        noisy = [NoisyTask(task, noise / counts.episodes**0.5) for task in tasks]
        runs = [list(islice(_residuals(learner, noisy, tasks, seed=seed), steps)) for seed in range(repeats)]
        rows.append({"counts": name, "N_b": counts.episodes, "reached": float(np.mean(runs, axis=0).min())})
    return rows


def fit_slope(accuracies: Sequence[float], taken: Sequence[float]) -> float:
    """Return the exponent of 1/ε with which iterations grow, by least squares of logarithms."""
    return float(np.polyfit(-np.log(accuracies), np.log(taken), 1)[0])


def _learner(schedule: LearningSchedule, counts: Counts) -> MetaStackelberg:
    return MetaStackelberg(
        rate=schedule.leader_step,
        adaptation=ASCENT,
        answer=replace(ASCENT, step=schedule.follower_step, steps=counts.answers),
    )


def _residuals(
    learner: MetaStackelberg, played: Sequence[ExactTask | NoisyTask], known: Sequence[ExactTask], *, seed: int
) -> Iterator[float]:
    """Yield the residual of each iteration's leader and of the followers that have answered it, without end."""
    start: Matrix = torch.ones(1, 1, dtype=torch.float64)
    state: StackelbergState = learner.initial(played, start[0], [torch.zeros(1, dtype=torch.float64)] * len(played))
    while True:
        following = learner.improve(state, played, steps=1, seed=seed)
        found = meta_residual(known, state.leader, following.followers, ascent=ASCENT, rng=stream(0, "unused"))
        yield max(found.leader, found.followers)
        state = following
