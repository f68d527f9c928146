"""Attacks: crafted updates (model poisoning), poisoned data, perturbed minibatches, and backdoor triggers."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sparring.attacks.backdoor.distributed_backdoor import DistributedBackdoor, DividedTrigger
from sparring.attacks.backdoor.label_flip import LabelFlip
from sparring.attacks.backdoor.neurotoxin import Neurotoxin
from sparring.attacks.backdoor.poisoned_training import PoisonedTraining
from sparring.attacks.backdoor.projected_backdoor import ProjectedBackdoor
from sparring.attacks.backdoor.targeted_boosting import TargetedBoosting
from sparring.attacks.backdoor.triggers.bars import Bars
from sparring.attacks.backdoor.triggers.blended import Blended
from sparring.attacks.backdoor.triggers.learned import LearnedTrigger
from sparring.attacks.backdoor.triggers.names import TRIGGERS
from sparring.attacks.backdoor.triggers.square import Square
from sparring.attacks.backdoor.triggers.trigger_network import TriggerNetwork, load_trigger, save_trigger
from sparring.attacks.backdoor.triggers.trigger_training import TriggerTraining, train_trigger
from sparring.attacks.backdoor.triggers.unmarked import Unmarked
from sparring.attacks.learned.acting import (
    LocalSearchActions,
    PoisonedSearchActions,
    PortfolioActions,
    RawUpdateActions,
)
from sparring.attacks.learned.coordinated import CoordinatedAttack
from sparring.attacks.learned.learned_attack import LearnedAttack, attack_policy
from sparring.attacks.learned.local_search import LocalSearch
from sparring.attacks.learned.poisoned_search import PoisonedSearch
from sparring.attacks.learned.portfolio import Portfolio
from sparring.attacks.learned.team_acting import (
    MemberUpdateActions,
    ScaledGradientActions,
    SeparateSearchActions,
    TeamActions,
)
from sparring.attacks.minibatch.carlini_wagner import CarliniWagner
from sparring.attacks.minibatch.deep_confuse import DeepConfuse
from sparring.attacks.minibatch.error_minimizing import ErrorMinimizing
from sparring.attacks.minibatch.evo_shift import EvoShift
from sparring.attacks.minibatch.fgsm_pgd import FgsmPgd
from sparring.attacks.minibatch.influence import Influence
from sparring.attacks.minibatch.level_k import LevelKAttack as LevelK
from sparring.attacks.minibatch.level_k_client import LevelKClient
from sparring.attacks.minibatch.no_perturbation import NoPerturbation
from sparring.attacks.minibatch.noise import Noise
from sparring.attacks.minibatch.optimal_contraction import OptimalContraction
from sparring.attacks.minibatch.yopo import Yopo
from sparring.attacks.untargeted.a_little_is_enough import ALittleIsEnough
from sparring.attacks.untargeted.adaptive_local_model_poisoning import AdaptiveLocalModelPoisoning
from sparring.attacks.untargeted.explicit_boosting import ExplicitBoosting
from sparring.attacks.untargeted.gaussian import Gaussian
from sparring.attacks.untargeted.inner_product import InnerProduct
from sparring.attacks.untargeted.local_model_poisoning.local_model_poisoning import LocalModelPoisoning
from sparring.attacks.untargeted.mimic import Mimic
from sparring.attacks.untargeted.min_max import MinMax
from sparring.attacks.untargeted.min_sum import MinSum
from sparring.attacks.untargeted.no_attack import NoAttack
from sparring.attacks.untargeted.scaled_gradient import ScaledGradient, constant_joint_actions
from sparring.attacks.untargeted.sign_flip import SignFlip
from sparring.attacks.untargeted.worst_of import WorstOf
from sparring.contracts import Attack, Perturbation, Poison
from sparring.errors import FormerName
from sparring.policies.network import PolicyNetwork

ATTACKS: Mapping[str, type[Attack | Poison]] = {
    "adaptive_lmp": AdaptiveLocalModelPoisoning,
    "alie": ALittleIsEnough,
    "bfl": PoisonedTraining,
    "coordinated": CoordinatedAttack,
    "dba": DistributedBackdoor,
    "eb": ExplicitBoosting,
    "gaussian": Gaussian,
    "ipm": InnerProduct,
    "label_flip": LabelFlip,
    "learned": LearnedAttack,
    "level_k_client": LevelKClient,
    "lmp": LocalModelPoisoning,
    "local_search": LocalSearch,
    "mimic": Mimic,
    "min_max": MinMax,
    "min_sum": MinSum,
    "neurotoxin": Neurotoxin,
    "none": NoAttack,
    "pgd": ProjectedBackdoor,
    "scaled_gradient": ScaledGradient,
    "sign_flip": SignFlip,
    "targeted_eb": TargetedBoosting,
    "worst_of": WorstOf,
}
"""The attacks on a federation: crafted updates and poisoned data."""

PERTURBATIONS: Mapping[str, type[Perturbation]] = {
    "cw": CarliniWagner,
    "deep_confuse": DeepConfuse,
    "error_minimizing": ErrorMinimizing,
    "evo_shift": EvoShift,
    "fgsm_pgd": FgsmPgd,
    "influence": Influence,
    "level_k": LevelK,
    "noise": Noise,
    "none": NoPerturbation,
    "optimal_contraction": OptimalContraction,
    "yopo": Yopo,
}
"""The attacks on the minibatches of central training."""

__all__ = [
    "ATTACKS",
    "PERTURBATIONS",
    "TRIGGERS",
    "ALittleIsEnough",
    "AdaptiveLocalModelPoisoning",
    "Bars",
    "Blended",
    "CarliniWagner",
    "CoordinatedAttack",
    "DeepConfuse",
    "DistributedBackdoor",
    "DividedTrigger",
    "ErrorMinimizing",
    "EvoShift",
    "ExplicitBoosting",
    "FgsmPgd",
    "Gaussian",
    "Influence",
    "InnerProduct",
    "LabelFlip",
    "LearnedAttack",
    "LearnedTrigger",
    "LevelK",
    "LevelKClient",
    "LocalModelPoisoning",
    "LocalSearch",
    "LocalSearchActions",
    "MemberUpdateActions",
    "Mimic",
    "MinMax",
    "MinSum",
    "Neurotoxin",
    "NoAttack",
    "NoPerturbation",
    "Noise",
    "OptimalContraction",
    "PoisonedSearch",
    "PoisonedSearchActions",
    "PoisonedTraining",
    "PolicyNetwork",
    "Portfolio",
    "PortfolioActions",
    "ProjectedBackdoor",
    "RawUpdateActions",
    "ScaledGradient",
    "ScaledGradientActions",
    "SeparateSearchActions",
    "SignFlip",
    "Square",
    "TargetedBoosting",
    "TeamActions",
    "TriggerNetwork",
    "TriggerTraining",
    "Unmarked",
    "WorstOf",
    "Yopo",
    "attack_policy",
    "constant_joint_actions",
    "load_trigger",
    "save_trigger",
    "train_trigger",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return the catalogue of an earlier version, `POISONS`, with a warning."""
        if name != "POISONS":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        warnings.warn("POISONS are now among the ATTACKS; the old name is accepted until 0.4", FormerName, stacklevel=2)
        return {name: cls for name, cls in ATTACKS.items() if not hasattr(cls, "craft")}
