"""Adaptation of a learned defense to the training in which it is played: policy gradients from its rounds (MSG)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.func import vjp

from sparring.arrays import Batch, FloatArray, Vector
from sparring.contracts import Memory, Model
from sparring.errors import ConfigError
from sparring.policies.network import PolicyNetwork
from sparring.random import Generator
from sparring.training import mean_loss
from sparring.validation import check_at_least_one, check_counts, check_positive, check_shares

CEILING = 3.0
"""The loss at and above which the estimated reward is 0."""
PREFIX = "adapt."
"""Before the names of an adapter's tensors in a server's memory."""

Scope = Literal["action", "policy"]


class Adapter(Protocol):
    """How the actions of a policy change with what happens in the training in which it is played."""

    @property
    def steps(self) -> int:
        """Number of updates in all; with 0 the policy is played as it is."""

    def act(
        self, policy: PolicyNetwork, seen: FloatArray, *, reward: Callable[[], float], memory: Memory, rng: Generator
    ) -> tuple[FloatArray, Memory]:
        """Return the action of a round, and the adapter's part of the server's memory.

        `reward` measures the model that the last round led to, in [0, 1].
        """


@dataclass(frozen=True)
class NoAdapter:
    """Play the policy as it is."""

    @property
    def steps(self) -> int:
        return 0

    def act(
        self, policy: PolicyNetwork, seen: FloatArray, *, reward: Callable[[], float], memory: Memory, rng: Generator
    ) -> tuple[FloatArray, Memory]:
        return policy.act(seen), {}


class AdapterState(NamedTuple):
    """What an adapter has learned so far; vectors have one number per number that adapts."""

    offset: Vector
    """What is added to these numbers."""
    gradient: Vector
    """The part of the estimate of E1 that the rounds played since the last update give."""
    trace: Vector
    """The discounted sum of ∇ log π over the actions of these rounds, which later rewards multiply."""
    counts: Tensor
    """The number of updates, and of actions since the last one."""


@dataclass(frozen=True)
class PolicyGradientAdapter:
    r"""Follow the policy gradient on rounds of the real training: E1 of MSG, with one episode of `every` rounds.

    $$\theta \leftarrow \theta + \mathrm{rate} \sum_t \nabla \log \pi_\theta(a_t \mid w_t)
    \sum_{k \ge t} \gamma^{k - t} (r_{k + 1} - r_t), \qquad
    a_t \sim \mathcal{N}(\pi_\theta(w_t), \mathrm{deviation}^2)$$

    $r_t = 1 - \min(F(\hat w_t), 3) / 3$ is measured on the server's root data, with the model that is deployed. What is
    subtracted, the reward before the action, leaves the mean of the estimate as it is. After `steps` updates the policy
    is frozen and plays its mean.
    """

    steps: int = 50
    """Number of updates; with 0 the policy is played as it is."""
    every: int = 1
    """Rounds of an episode, after which there is an update; with 1, an action counts with its immediate effect."""
    rate: float = 0.1
    """Step size."""
    deviation: float = 0.2
    """Standard deviation of each number of an action while it adapts; the range is from -1 to 1."""
    discount: float = 1.0
    """γ, by which a reward counts less for each round that it comes later."""
    scope: Scope = "action"
    """What adapts: an offset of the action that is the same in all rounds, or all weights of the policy."""

    def __post_init__(self) -> None:
        check_counts("defense.adapt", steps=self.steps, every=self.every)
        if self.steps < 0:
            raise ConfigError(f"defense.adapt.steps is {self.steps}; it must be at least 0")
        check_at_least_one("defense.adapt", every=self.every)
        check_positive("defense.adapt", rate=self.rate, deviation=self.deviation)
        check_shares("defense.adapt", discount=self.discount)
        if self.scope not in ("action", "policy"):
            raise ConfigError(f"defense.adapt.scope is {self.scope!r}; it must be action or policy")

    def act(
        self, policy: PolicyNetwork, seen: FloatArray, *, reward: Callable[[], float], memory: Memory, rng: Generator
    ) -> tuple[FloatArray, Memory]:
        observation = torch.from_numpy(seen).float()
        state = _unpack(memory, size=self._count(policy))
        updates, played = state.counts.tolist()
        level = reward() if updates < self.steps else 0.0
        if played:
            state = state._replace(gradient=state.gradient + level * state.trace)
        if played == self.every:
            state, updates, played = self._ascend(state, policy, observation), updates + 1, 0
        mean, pull_back, *_ = vjp(lambda offset: self._mean(policy, offset, observation), state.offset)
        if updates == self.steps:
            return mean.float().numpy(), _pack(state, "offset", "counts")
        noise = torch.from_numpy(rng.standard_normal(len(mean)))
        score = pull_back((noise / self.deviation).to(mean))[0]
        ahead = sum(self.discount**step for step in range(self.every - played))
        state = state._replace(
            gradient=state.gradient - ahead * level * score,
            trace=self.discount * state.trace + score,
            counts=torch.tensor([updates, played + 1]),
        )
        return (mean + self.deviation * noise).float().numpy(), _pack(state, *AdapterState._fields)

    def _ascend(self, state: AdapterState, policy: PolicyNetwork, observation: Tensor) -> AdapterState:
        """Return the state after an update; an offset of the action is kept where it has an effect."""
        offset = state.offset + self.rate * state.gradient
        if self.scope == "action":
            middle = self._mean(policy, torch.zeros_like(offset), observation)
            offset = (middle + offset).clamp(-1, 1) - middle
        still, updates = torch.zeros_like(offset), state.counts[0] + 1
        return AdapterState(offset, still, still, torch.stack([updates, torch.zeros_like(updates)]))

    def _mean(self, policy: PolicyNetwork, offset: Vector, observation: Tensor) -> Tensor:
        """Return the mean action in float64, as a function of the offset."""
        if self.scope == "action":
            return policy(observation).double() + offset
        parts = offset.float().split([part.numel() for part in _weights(policy)])
        moved = [part + by.view_as(part) for part, by in zip(_weights(policy), parts, strict=True)]
        return replace(policy, layers=tuple(zip(moved[::2], moved[1::2], strict=True)))(observation).double()

    def _count(self, policy: PolicyNetwork) -> int:
        """Return how many numbers adapt."""
        return len(policy.layers[-1][1]) if self.scope == "action" else sum(part.numel() for part in _weights(policy))


ADAPTERS: Mapping[str, type[NoAdapter | PolicyGradientAdapter]] = {
    "none": NoAdapter,
    "policy_gradient": PolicyGradientAdapter,
}
"""The ways of adaptation by name."""


def estimated_reward(model: Model, examples: Batch) -> float:
    """Return 1 - min(F, 3) / 3 for the loss F on examples; a loss that is not a number counts as 3."""
    loss = mean_loss(model.network, model.parameters, on=examples)
    return 1 - loss / CEILING if loss < CEILING else 0.0


def _weights(policy: PolicyNetwork) -> Iterator[Tensor]:
    """Yield the weight and the bias of each layer."""
    return (part for layer in policy.layers for part in layer)


def _unpack(memory: Memory, *, size: int) -> AdapterState:
    known = {name: memory[PREFIX + name] for name in AdapterState._fields if PREFIX + name in memory}
    still = torch.zeros(size, dtype=torch.float64)
    state = AdapterState(
        **{"offset": still, "gradient": still, "trace": still, "counts": torch.zeros(2).long(), **known}
    )
    if len(state.offset) != size:
        raise ConfigError("defense.adapt.scope is 'policy'; the file's policies differ in size, use action")
    return state


def _pack(state: AdapterState, *names: str) -> Memory:
    return {PREFIX + name: getattr(state, name) for name in names}
