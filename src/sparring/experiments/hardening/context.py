"""What the stages of a hardening share: the request, the world, the folder, and how they train."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sparring.errors import Interrupted
from sparring.experiments.hardening.plan import HardeningPlan
from sparring.experiments.hardening.request import HardeningRequest
from sparring.experiments.hardening.world import SimulatedWorld
from sparring.experiments.jobs.atomic_files import write_json
from sparring.experiments.jobs.job import stop_file
from sparring.experiments.jobs.resumable import run_job, training_job
from sparring.experiments.jobs.snapshots import latest_progress
from sparring.experiments.sweeps.follower import Follower
from sparring.learning.calls import Calls
from sparring.learning.learner import Learner, LearningState
from sparring.learning.training_env import LearningTask
from sparring.policies import load_policy
from sparring.policies.network import PolicyNetwork
from sparring.policies.saved_policy import Side

State = TypeVar("State", bound=LearningState)

SUFFIX = ".safetensors"
RETURNS = "returns.json"
"""The file of the mean return in each generation or iteration of a training."""


@dataclass(frozen=True)
class HardeningContext:
    """What the stages of a hardening share."""

    request: HardeningRequest
    world: SimulatedWorld
    folder: Path
    plan: HardeningPlan
    workers: int
    calls: Calls
    follower: Follower

    @property
    def seed(self) -> int:
        """The seed of everything random."""
        return self.request.config.seed

    @property
    def weights(self) -> dict[str, float]:
        """The prior of the types."""
        return {name: each.kind.weight for name, each in self.world.domain.items()}

    @property
    def answers(self) -> bool:
        """Whether followers answer the policy that is learned."""
        return self.request.settings.answers == "adapted"

    def begin(self, stage: str, words: str, *, share: float = 1.0) -> None:
        """Announce a stage, or a share of it."""
        self.follower.begin(words, share * self.plan.stages.get(stage, 0.0))

    def wants_stop(self) -> bool:
        """Say whether a stop is requested."""
        return stop_file(self.folder).exists()

    def spread(self, function: Callable[[Any], Any], arguments: Sequence[Any]) -> Iterator[Any]:
        """Make calls in all processes; a request to stop is noticed after each answer."""
        for answer in self.calls(function, arguments):
            if self.wants_stop():
                raise Interrupted("stopped; the same command resumes it")
            yield answer

    def train(self, learner: Learner[State], task: LearningTask, name: str, *, steps: int) -> State:
        """Train in the folder of a stage, or resume there, and return the state with the chosen policy."""
        folder = self.folder / name
        job = training_job(learner, task, steps=steps, seed=self.seed)
        with self.follower.training(self.folder, lambda: [min(steps, latest_progress(folder))], total=steps):
            state = run_job(job, folder, wants_stop=self.wants_stop)
            assert state is not None
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / RETURNS, list(state.returns))
            return learner.choose(state, task, seed=self.seed)


def read_policy(path: Path, side: Side = "defense") -> PolicyNetwork:
    """Return the policy of a file."""
    return load_policy(path, side).versions[0].policy
