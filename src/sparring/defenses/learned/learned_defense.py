"""Learned defense (Pan et al., 2023): a policy sets the rule and the post-training defense of each round."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from sparring.contracts import Memory, Network, Plan, Repair, ServerView
from sparring.defenses.learned.actions import ACTING, ActionServer, DefenseActions
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


def defense_policy(versions: Sequence[PolicyVersion], acting: DefenseActions, *, layers: int | None = 2) -> SavedPolicy:
    """Return a defender's policies as they are saved, with the decoder of their actions."""
    return SavedPolicy("defense", tuple(versions), decoder_section(acting, ACTING), layers)


@dataclass(frozen=True)
class LearnedDefense:
    """Play a defender's policy: each round it sees the global model, and sets the rule and the post-training defense.

    The updates are clipped to a norm and averaged without their extreme values; the model that the round ends with is
    deployed with the post-training defense of the same action. Policies of a file follow each other by their rounds.
    The initial model is deployed unchanged.
    """

    policy: Annotated[str, Stored(resolve_policy_path)]
    """Path of the policy, in the safetensors format."""
    paper: ClassVar[str] = (
        "Pan et al., 2023, A first order meta Stackelberg method for robust federated learning, arXiv:2306.13800"
    )
    cost: ClassVar[str] = "one decision of the policy, and a clipped trimmed mean: O(n d log n)"
    assumption: ClassVar[str] = "the policy was trained against attacks like those that come"

    @cached_property
    def trained(self) -> SavedPolicy:
        """The policies in the file."""
        return load_policy(self.policy, "defense")

    @cached_property
    def acting(self) -> DefenseActions:
        """The decoder of their actions."""
        decoder: DefenseActions = build_decoder(self.trained, ACTING, path=self.policy)
        return decoder

    def plan(self, view: ServerView, memory: Memory) -> tuple[Plan, Memory]:
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
        _ = self.acting
