"""Learned defense (Pan et al., 2023): a policy sets the rule and the post-training defense of each round."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Annotated, ClassVar

from sparring.arrays import Batch, pixels
from sparring.contracts import Memory, Model, Network, Repair, RoundPlan, ServerView
from sparring.defenses.learned.actions import ACTING, ActionServer, PlanDecoder
from sparring.defenses.learned.adaptation import Adapter, NoAdapter, estimated_reward
from sparring.errors import ConfigError
from sparring.models.summary import seen_parameters, summary
from sparring.policies.saved_policy import (
    PolicyVersion,
    SavedPolicy,
    build_decoder,
    decoder_section,
    load_policy,
    resolve_policy_path,
)
from sparring.registry import ADDED_LATER, Stored


def defense_policy(versions: Sequence[PolicyVersion], acting: PlanDecoder, *, layers: int | None = 1) -> SavedPolicy:
    """Return a defender's policies as they are saved, with the decoder of their actions."""
    return SavedPolicy("defense", tuple(versions), decoder_section(acting, ACTING), layers)


@dataclass(frozen=True)
class LearnedDefense:
    r"""Play a defender's policy: each round it sees the global model, and sets the rule and the post-training defense.

    $$(\alpha_t, \beta_t, \varepsilon_t) = \pi(w_t), \qquad
    w_{t+1} = w_t - \eta \, \mathrm{rule}_{\alpha_t, \beta_t}(u_1, \ldots, u_n), \qquad
    \text{deployed: } h_{\varepsilon_t}(w_{t+1})$$

    The rule is `clipped_trimmed_mean`, or `graded_trust` with six numbers in place of two; $h$ is the post-training
    defense that the policy was trained with, `neuroclip`, `prun` or none. $\pi$ sees the last layers of the model $w_t$
    before any update arrives; the newest policy in the file is used. The initial model is deployed unchanged.

    With `adapt`, actions are also adjusted by how well the model does on the server's root data.
    """

    policy: Annotated[str, Stored(resolve_policy_path)]
    """Path of the policy, in the safetensors format."""
    adapt: Adapter = field(default=NoAdapter(), metadata=ADDED_LATER)
    """How the policy adapts to the training in which it is played."""
    paper: ClassVar[str] = (
        "Pan et al., 2023, A first order meta Stackelberg method for robust federated learning, arXiv:2306.13800"
    )
    cost: ClassVar[str] = "one decision of the policy, and its rule: O(n d log n)"
    assumption: ClassVar[str] = "the policy was trained against attacks like those that come"

    def __post_init__(self) -> None:
        if self.adapt.steps == 0:
            object.__setattr__(self, "adapt", NoAdapter())  # so that a description does not mention it

    @cached_property
    def trained(self) -> SavedPolicy:
        """The policies in the file."""
        return load_policy(self.policy, "defense")

    @cached_property
    def acting(self) -> PlanDecoder:
        """The decoder of their actions."""
        decoder: PlanDecoder = build_decoder(self.trained, ACTING, path=self.policy)
        return decoder

    @property
    def needs_root(self) -> bool:
        """Whether the server needs root data to play them."""
        return self.adapt.steps > 0 or self.acting.needs_root

    def plan(self, view: ServerView, memory: Memory) -> tuple[RoundPlan, Memory]:
        self.check(view.network)
        seen = summary(view.network, view.parameters, layers=self.trained.layers)
        policy, reward = self.trained.newest(view.round), partial(self._estimate_reward, view, memory)
        action, adapted = self.adapt.act(policy, seen, reward=reward, memory=memory, rng=view.rng)
        plan, kept = ActionServer(self.acting, tuple(action.tolist())).plan(view, memory)
        return plan, {**kept, **adapted}

    def deployed(self, memory: Memory) -> Repair | None:
        return ActionServer(self.acting).deployed(memory)

    def _estimate_reward(self, view: ServerView, memory: Memory) -> float:
        """Return the value of the model that is deployed at the start of a round, measured on root data."""
        if view.examples is None:
            raise ConfigError(
                "defense.adapt estimates rewards on root data; use data.root_size >= 1 or defense.adapt.steps=0"
            )
        examples = Batch(pixels(view.examples.inputs), view.examples.labels)
        model, repair = Model(view.network, view.parameters), self.deployed(memory)
        if repair is not None:
            model = repair.repair(model, root=examples, rng=view.rng)
        return estimated_reward(model, examples)

    def check(self, network: Network) -> None:
        """Reject an unreadable file, and a policy that was trained for a model of another size."""
        seen = seen_parameters(network, self.trained.layers)
        self.trained.check(seen.stop - seen.start, path=self.policy)
        decided, wanted = len(self.trained.versions[0].policy.layers[-1][1]), self.acting.size
        if decided != wanted:
            raise ConfigError(
                f"defense.policy is {self.policy!r}; it decides {decided} numbers, its actions have {wanted}"
            )
