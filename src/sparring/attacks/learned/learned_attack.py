"""The learned attack (Li et al., 2022): a policy, trained in a simulated world, sets the parameters of each search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar

from sparring.arrays import Batch, Matrix
from sparring.attacks.backdoor.triggers.names import TRIGGERS
from sparring.attacks.learned.acting import ACTING, ActionDecoder, PoisonedSearchActions
from sparring.attacks.learned.team_acting import TEAM_ACTING, TeamActions
from sparring.contracts import Backdoor, BlackBoxView, Network, Trigger, WhiteBoxView
from sparring.data import CommonShards
from sparring.policies.observation import Features, observation, observation_size
from sparring.policies.saved_policy import (
    PolicyVersion,
    SavedPolicy,
    build_decoder,
    decoder_section,
    load_policy,
    resolve_policy_path,
)
from sparring.policies.team import RANK
from sparring.registry import Families, Stored

NESTED: Families = {Trigger: TRIGGERS}
"""What the options of a decoder can name."""


def attack_policy(
    versions: Sequence[PolicyVersion],
    acting: ActionDecoder | TeamActions,
    *,
    layers: int | None = 1,
    examples: Batch | None = None,
    features: Features | None = None,
) -> SavedPolicy:
    """Return an attacker's policies as they are saved, with the decoder of their actions.

    Those of a team are the networks of a member, as in `TeamPolicy`.
    """
    if isinstance(acting, TeamActions):
        section, team = decoder_section(acting.acting, TEAM_ACTING), acting.team
    else:
        section, team = decoder_section(acting, ACTING, NESTED), None
    return SavedPolicy("attack", tuple(versions), section, layers, examples, features=features, team=team)


def check_fit(saved: SavedPolicy, network: Network, *, path: str) -> None:
    """Reject policies, read from `path`, that were trained for a model of another size."""
    rank = 0 if saved.team is None else RANK
    saved.check(observation_size(network, saved.layers, saved.features) + rank, path=path)


@dataclass(frozen=True)
class LearnedAttack:
    """Play a policy that was trained against the server's rule; `audit` trains one and names its file.

    The newest policy in the file is used.
    """

    policy: Annotated[str, Stored(resolve_policy_path)]
    """Path of the policy, in the safetensors format."""
    # Its training uses white-box knowledge: the rule and the server's training settings.
    needs: ClassVar[type[BlackBoxView]] = WhiteBoxView
    paper: ClassVar[str] = (
        "Li et al., 2022, Learning to attack federated learning: a model-based reinforcement learning attack "
        "framework, NeurIPS"
    )
    cost: ClassVar[str] = "one decision of the policy, and its local search"
    assumption: ClassVar[str] = "the policy was trained against the server's rule or a similar one"

    @cached_property
    def trained(self) -> SavedPolicy:
        """The policies in the file."""
        return load_policy(self.policy, "attack").of_team(is_team=False, path=self.policy)

    @cached_property
    def acting(self) -> ActionDecoder:
        """The decoder of their actions."""
        decoder: ActionDecoder = build_decoder(self.trained, ACTING, path=self.policy, families=NESTED)
        return decoder

    @property
    def backdoor(self) -> Backdoor | None:
        """The backdoor that its policy implants, if it implants one."""
        return self.acting.backdoor if isinstance(self.acting, PoisonedSearchActions) else None

    def craft(self, view: BlackBoxView) -> Matrix:
        trained = self.trained
        self.check(view.network)
        if trained.examples is not None:
            shards = CommonShards(trained.examples, len(view.clients)).to(view.parameters.device)
            view = replace(view, shards=shards)
        seen = observation(
            view.network,
            view.parameters,
            malicious=len(view.clients),
            sampled=view.sampled,
            layers=trained.layers,
            features=() if trained.features is None else trained.features.measure(view),
        )
        attack = self.acting.attack(trained.newest(view.round).act(seen))
        return attack.craft(view)  # type: ignore[arg-type]  # no decoded attack needs more

    def check(self, network: Network) -> None:
        """Reject an unreadable file, and a policy that was trained for a model of another size."""
        check_fit(self.trained, network, path=self.policy)
        _ = self.acting
