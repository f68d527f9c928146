"""PPO from an existing policy: it imitates the policy, then improves it, and keeps it if training does not help."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import log
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sparring.arrays import FloatArray, briefly
from sparring.games.encoded_game import EncodedGame
from sparring.games.env import SeatEnv
from sparring.learning.evaluation import does_better
from sparring.learning.sb3.adapter import SB3Learner, SB3Training
from sparring.learning.sb3.ppo import PPOSettings
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.snapshot import Codec, Snapshot, pack_fields, unpack_fields
from sparring.validation import check_at_least_one, check_positive

LOG_DEVIATION = "policy/log_std"
"""The logarithm of the deviation of PPO's actions, in a packed algorithm."""
USUAL = PPOSettings()


class StartedTraining(NamedTuple):
    """The state of a training from a start."""

    training: SB3Training
    keeps_start: bool = False
    """Whether the policy is the start, since training did not improve on it."""

    @property
    def steps(self) -> int:
        """Steps so far, with those of the imitated episodes."""
        return self.training.steps

    @property
    def returns(self) -> tuple[float, ...]:
        """The return of each episode that ended."""
        return self.training.returns

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class PPOFromStart:
    """Learns by PPO from a policy; the networks see what the policy's encoder makes of an observation."""

    start: PolicyNetwork
    settings: PPOSettings = USUAL
    observed: int = 500
    """Steps of `start`, with noise, whose observations are imitated."""
    imitation: int = 1000
    """Gradient steps of the imitation."""
    noise: float = 0.1
    """The standard deviation of actions at first."""
    trials: int = 5
    """Fresh episodes in which the trained policy must do better than the start."""

    def __post_init__(self) -> None:
        names = ("observed", "imitation", "trials")
        check_at_least_one("ppo", **{name: getattr(self, name) for name in names})
        check_positive("ppo", noise=self.noise)

    def initial(self, task: LearningTask, *, seed: int) -> StartedTraining:
        encoded = self._encoded(task)
        training = SB3Learner(self.settings).initial(encoded, seed=seed)
        seen = self._play(encoded, seed=seed)
        tensors, numbers = training.algorithm
        tensors = {**tensors, **self._imitated(training.algorithm, seen)}
        tensors[LOG_DEVIATION] = torch.full_like(tensors[LOG_DEVIATION], log(self.noise))
        numbers = {**numbers, "num_timesteps": numbers["num_timesteps"] + self.observed}
        return StartedTraining(training._replace(algorithm=Snapshot(tensors, numbers)))

    def improve(self, state: StartedTraining, task: LearningTask, *, steps: int, seed: int) -> StartedTraining:
        training = SB3Learner(self.settings).improve(state.training, self._encoded(task), steps=steps, seed=seed)
        return state._replace(training=training)

    def choose(self, state: StartedTraining, task: LearningTask, *, seed: int) -> StartedTraining:
        """Return the state whose policy is the start where the trained one is not better in common fresh episodes."""
        trained = self._trained(state)
        helped = does_better(task, trained, than=self.start, episodes=self.trials, seed=seed)
        return state._replace(keeps_start=not helped)

    def policies(self, state: StartedTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        return {task.seat: self.start if state.keeps_start else self._trained(state)}

    def codec(self, task: LearningTask) -> Codec[StartedTraining]:
        codec = SB3Learner(self.settings).codec(task)
        return Codec(
            lambda state: pack_fields({**state._asdict(), "training": codec.pack(state.training)}),
            partial(_unpack, codec=codec),
        )

    def _encoded(self, task: LearningTask) -> LearningTask:
        """Return the task whose seat observes what the networks see."""
        encoder = self.start.encoder
        return task if encoder is None else replace(task, game=EncodedGame(task.game, task.seat, encoder))

    def _trained(self, state: StartedTraining) -> PolicyNetwork:
        return replace(self.settings.policy(state.training.algorithm), encoder=self.start.encoder)

    def _play(self, encoded: LearningTask, *, seed: int) -> Tensor:
        """Return the observations of episodes that the start plays with noise."""
        env, policy = (
            SeatEnv(encoded.game, encoded.seat, opponents=encoded.opponents),
            replace(self.start, encoder=None),
        )
        env.np_random = rng = stream(seed, "imitation")
        (seen, _), rows = env.reset(), list[FloatArray]()
        while len(rows) < self.observed:
            rows.append(seen)
            action = policy.act(seen)
            noise = self.noise * rng.standard_normal(len(action), dtype=np.float32)
            seen, _, is_terminated, is_truncated, _ = env.step(np.clip(action + noise, -1, 1))
            if is_terminated or is_truncated:
                seen, _ = env.reset()
        return torch.from_numpy(np.stack(rows))

    def _imitated(self, algorithm: Snapshot, seen: Tensor) -> dict[str, Tensor]:
        """Return the actor's tensors after it has imitated the start on some observations."""
        answers = replace(self.start, encoder=None)(seen)
        names = [name for name in algorithm.tensors if _is_actor(name)]
        leaves = {name: algorithm.tensors[name].clone().requires_grad_() for name in names}
        actor = self.settings.policy(Snapshot({**algorithm.tensors, **leaves}, algorithm.numbers))
        optimizer = torch.optim.Adam(leaves.values(), lr=1e-3)
        for _ in range(self.imitation):
            optimizer.zero_grad()
            mse_loss(actor(seen), answers).backward()
            optimizer.step()
        return {name: leaf.detach() for name, leaf in leaves.items()}


def _is_actor(name: str) -> bool:
    return name.startswith(("policy/mlp_extractor.policy_net", "policy/action_net"))


def _unpack(packed: Snapshot, codec: Codec[SB3Training]) -> StartedTraining:
    state = unpack_fields(packed, kind=StartedTraining, parts=("training",))
    return state._replace(training=codec.unpack(packed.part("training")))
