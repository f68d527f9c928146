"""Learned defense (Pan et al., 2023): a policy sets the rule and the post-training defense of each round."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from sparring.contracts import Memory, Network, Repair, RoundPlan, ServerView
from sparring.defenses.learned.actions import ACTING, ActionServer, PlanDecoder
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
from sparring.registry import Stored


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
    """

    policy: Annotated[str, Stored(resolve_policy_path)]
    """Path of the policy, in the safetensors format."""
    paper: ClassVar[str] = (
        "Pan et al., 2023, A first order meta Stackelberg method for robust federated learning, arXiv:2306.13800"
    )
    cost: ClassVar[str] = "one decision of the policy, and its rule: O(n d log n)"
    assumption: ClassVar[str] = "the policy was trained against attacks like those that come"

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
        return self.acting.needs_root

    def plan(self, view: ServerView, memory: Memory) -> tuple[RoundPlan, Memory]:
        self.check(view.network)
        seen = summary(view.network, view.parameters, layers=self.trained.layers)
        action = self.trained.newest(view.round).act(seen)
        return ActionServer(self.acting, tuple(action.tolist())).plan(view, memory)

    def deployed(self, memory: Memory) -> Repair | None:
        return ActionServer(self.acting).deployed(memory)

    def check(self, network: Network) -> None:
        """Reject an unreadable file, and a policy that was trained for a model of another size."""
        seen = seen_parameters(network, self.trained.layers)
        self.trained.check(seen.stop - seen.start, path=self.policy)
        decided, wanted = len(self.trained.versions[0].policy.layers[-1][1]), self.acting.size
        if decided != wanted:
            raise ConfigError(
                f"defense.policy is {self.policy!r}; it decides {decided} numbers, its actions have {wanted}"
            )
