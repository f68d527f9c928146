"""Coordinated attack (MARL): one policy, trained in advance, gives an action to each rank of the sampled attackers."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar, Literal, get_args

import torch

from sparring.arrays import FloatArray, Matrix
from sparring.attacks.learned.learned_attack import check_fit
from sparring.attacks.learned.team_acting import TEAM_ACTING, MemberDecoder
from sparring.contracts import BlackBoxView, Network, Team, WhiteBoxView
from sparring.data import CommonShards
from sparring.errors import ConfigError
from sparring.policies.observation import observation
from sparring.policies.saved_policy import SavedPolicy, build_decoder, load_policy, resolve_policy_path
from sparring.policies.team import TeamPolicy
from sparring.registry import Stored

TeamKnowledge = Literal["white_box", "black_box"]
"""Whether the policy was trained against the server's rule, or against what the attackers inferred of it."""
Coordination = Literal["full", "distribution", "none"]
"""What the members share: everything, only the learned examples, or nothing (MARL, figure 3 d: FC, CDL and NC)."""


@dataclass(frozen=True)
class CoordinatedAttack:
    """Play a team's policy: each sampled malicious client acts by its rank; `audit --team` trains one.

    Policies observe shares, so that one for 10 malicious clients can be played by 20. With `coordination` `full` (FC)
    the members know how many they are and their ranks, and draw from the examples in the policy's file, if there are
    any. With `distribution` (CDL) they share these examples, and each acts as if it were the only one. With `none` (NC)
    each acts as if it were the only one, on what the malicious clients hold themselves.
    """

    policy: Annotated[str, Stored(resolve_policy_path)]
    """Path of the policy, in the safetensors format."""
    knowledge: TeamKnowledge = "white_box"
    """Whether the policy was trained against the server's rule, or against what the attackers inferred of it."""
    coordination: Coordination = "full"
    """What the members share."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "one decision of the policy for all members, and the attack that it encodes"
    assumption: ClassVar[str] = "the policy was trained against the server's rule or a similar one"

    def __post_init__(self) -> None:
        choices = {"knowledge": TeamKnowledge, "coordination": Coordination}
        for name, allowed in choices.items():
            if getattr(self, name) not in get_args(allowed):
                raise ConfigError(
                    f"coordinated.{name} is {getattr(self, name)!r}; it must be one of: {', '.join(get_args(allowed))}"
                )

    @property
    def needs(self) -> type[BlackBoxView]:
        """The view: training against the rule uses white-box knowledge."""
        return WhiteBoxView if self.knowledge == "white_box" else BlackBoxView

    @cached_property
    def trained(self) -> SavedPolicy:
        """The policies in the file."""
        return load_policy(self.policy, "attack").of_team(is_team=True, path=self.policy)

    @cached_property
    def acting(self) -> MemberDecoder:
        """The decoder of the members' actions."""
        decoder: MemberDecoder = build_decoder(self.trained, TEAM_ACTING, path=self.policy)
        return decoder

    def craft(self, view: BlackBoxView) -> Matrix:
        self.check(view.network)
        examples = None if self.coordination == "none" else self.trained.examples
        if examples is not None:
            shards = CommonShards(examples, 1 + max(view.clients)).to(view.parameters.device)
            view = replace(view, shards=shards)
        return self.acting.attack(self._decide(view)).craft(view)  # type: ignore[arg-type]  # none needs more

    def check(self, network: Network) -> None:
        """Reject an unreadable file, and a policy for one attacker or for a model of another size."""
        _ = self.acting
        check_fit(self.trained, network, path=self.policy)

    def _decide(self, view: BlackBoxView) -> FloatArray:
        """Return the actions of the ranks, one row for each client of the view."""
        trained, count = self.trained, len(view.clients)
        acting = count if self.coordination == "full" else 1
        seen = observation(
            view.network,
            view.parameters,
            malicious=acting,
            sampled=view.sampled,
            layers=trained.layers,
            features=() if trained.features is None else trained.features.measure(view),
        )
        played = TeamPolicy(trained.newest(view.round), Team(acting, view.sampled))
        with torch.no_grad():
            rows = played.rows(torch.from_numpy(seen).float(), acting)
        actions: FloatArray = rows.expand(count, -1).numpy() if acting == 1 else rows.numpy()
        return actions
