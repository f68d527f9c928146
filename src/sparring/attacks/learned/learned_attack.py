"""The learned attack (Li et al., 2022): a policy, trained in a simulated world, sets the parameters of each search."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar

from sparring.arrays import Matrix
from sparring.attacks.learned.trained_attack import TrainedAttack, load_attack, resolve_policy_path
from sparring.contracts import BlackBoxView, Network, WhiteBoxView
from sparring.data import CommonShards
from sparring.errors import ConfigError
from sparring.policies.observation import observation, observation_size
from sparring.registry import Stored


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
    def trained(self) -> TrainedAttack:
        """The trained attack in the file."""
        return load_attack(self.policy)

    def craft(self, view: BlackBoxView) -> Matrix:
        trained = self.trained
        self.check(view.network)
        seen = observation(
            view.network,
            view.parameters,
            malicious=len(view.clients),
            sampled=view.sampled,
            layers=trained.layers,
        )
        attack = trained.acting.attack(trained.newest(view.round).act(seen))
        shards = view.shards
        if trained.examples is not None:
            shards = CommonShards(trained.examples, len(view.clients)).to(view.parameters.device)
        return attack.craft(replace(view, shards=shards))  # type: ignore[arg-type]  # no decoded attack needs more

    def check(self, network: Network) -> None:
        """Reject an unreadable file, and a policy that was trained for a model of another size."""
        policy, given = self.trained.policies[0].policy, observation_size(network, self.trained.layers)
        if not policy.fits(given):
            wanted = policy.layers[0][0].shape[1]
            raise ConfigError(f"attack.policy is {self.policy!r}; it sees {wanted} numbers, this model shows {given}")
