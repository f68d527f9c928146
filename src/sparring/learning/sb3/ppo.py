"""PPO (Schulman et al., 2017): a Gaussian policy, trained on policy with clipped steps."""

from dataclasses import dataclass

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.sb3.ranges import AMOUNT, COUNT, RATE, SHARE, refuse_outside
from sparring.learning.sb3.snapshot import linear_layers
from sparring.policies.network import PolicyNetwork
from sparring.snapshot import Snapshot


@dataclass(frozen=True)
class PPOSettings:
    """Hyperparameters of a policy and its value function."""

    hidden: tuple[int, ...] = (64, 64)
    """Units of the hidden layers, the same in the policy and in the value function."""
    lr: float = 3e-4
    rollout: int = 512
    """Steps per environment between two policy updates."""
    batch: int = 64
    epochs: int = 10
    """Passes over the steps of each rollout."""
    discount: float = 0.99
    trace: float = 0.95
    """λ of the generalized advantage estimate."""
    clip: float = 0.2
    """Clip range of the probability ratio."""
    entropy: float = 0.0
    """Weight of the entropy bonus."""

    def __post_init__(self) -> None:
        counts = dict.fromkeys(("rollout", "batch", "epochs"), COUNT)
        shares = dict.fromkeys(("discount", "trace"), SHARE)
        others = {"lr": RATE, "clip": RATE, "entropy": AMOUNT}
        refuse_outside(self, "ppo", ranges={**counts, **shares, **others}, units=self.hidden)
        if self.batch < 2:
            raise ConfigError("ppo.batch is 1; advantages are scaled within a batch, use at least 2")

    def check(self, space: Space, *, environments: int) -> None:
        """Reject a batch size that does not divide the rollout."""
        steps = self.rollout * environments
        if steps % self.batch:
            raise ConfigError(f"ppo.batch is {self.batch}; it must divide the {steps} steps of a rollout")

    def algorithm(self, environments: VecEnv) -> PPO:
        return PPO(
            "MlpPolicy",
            environments,
            learning_rate=self.lr,
            n_steps=self.rollout,
            batch_size=self.batch,
            n_epochs=self.epochs,
            gamma=self.discount,
            gae_lambda=self.trace,
            clip_range=self.clip,
            ent_coef=self.entropy,
            policy_kwargs={"net_arch": list(self.hidden)},
            device="cpu",
        )

    def policy(self, packed: Snapshot) -> PolicyNetwork:
        modules = ("policy/mlp_extractor.policy_net", "policy/action_net")
        return PolicyNetwork(linear_layers(packed, *modules), hidden="tanh", squash="clip")
