"""The time that a learned defense needs to adapt, measured while it is played."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from sparring.arrays import FloatArray
from sparring.contracts import Memory
from sparring.defenses import LearnedDefense
from sparring.defenses.learned.adaptation import Adapter
from sparring.experiments.runs.training import FederatedRun, Training
from sparring.policies.network import PolicyNetwork
from sparring.random import Generator


@dataclass(eq=False)
class TimedAdapter:
    """An adapter that adapts as the inner one does, and the seconds that it took so far."""

    inner: Adapter
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        return self.inner.steps

    def act(
        self, policy: PolicyNetwork, seen: FloatArray, *, reward: Callable[[], float], memory: Memory, rng: Generator
    ) -> tuple[FloatArray, Memory]:
        began = perf_counter()
        answer = self.inner.act(policy, seen, reward=reward, memory=memory, rng=rng)
        self.seconds += perf_counter() - began
        return answer


def time_adaptation(training: Training) -> tuple[Training, TimedAdapter | None]:
    """Return the training with a timed adapter, and this adapter; None if it has no defense that adapts."""
    if not isinstance(training, FederatedRun):
        return training, None
    defense = training.scenario.defense
    if not isinstance(defense, LearnedDefense) or defense.adapt.steps == 0:
        return training, None
    adapter = TimedAdapter(defense.adapt)
    return replace(training, scenario=replace(training.scenario, defense=replace(defense, adapt=adapter))), adapter
