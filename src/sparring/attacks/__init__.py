"""What a malicious player can play: crafted updates, and poisoned data."""

from collections.abc import Mapping

from sparring.attacks.backdoor.distributed_backdoor import DistributedBackdoor, DividedTrigger
from sparring.attacks.backdoor.label_flip import LabelFlip
from sparring.attacks.backdoor.neurotoxin import Neurotoxin
from sparring.attacks.backdoor.poisoned_training import PoisonedTraining
from sparring.attacks.backdoor.projected_backdoor import ProjectedBackdoor
from sparring.attacks.backdoor.targeted_boosting import TargetedBoosting
from sparring.attacks.backdoor.triggers.bars import Bars
from sparring.attacks.backdoor.triggers.blended import Blended
from sparring.attacks.backdoor.triggers.learned import Learned
from sparring.attacks.backdoor.triggers.square import Square
from sparring.attacks.backdoor.triggers.trigger_network import TriggerNetwork, load_trigger, save_trigger
from sparring.attacks.backdoor.triggers.trigger_training import TriggerTraining, train_trigger
from sparring.attacks.backdoor.triggers.unmarked import Unmarked
from sparring.attacks.crafted.a_little_is_enough import ALittleIsEnough
from sparring.attacks.crafted.adaptive_local_model_poisoning import AdaptiveLocalModelPoisoning
from sparring.attacks.crafted.explicit_boosting import ExplicitBoosting
from sparring.attacks.crafted.gaussian import Gaussian
from sparring.attacks.crafted.inner_product import InnerProduct
from sparring.attacks.crafted.local_model_poisoning import LocalModelPoisoning
from sparring.attacks.crafted.mimic import Mimic
from sparring.attacks.crafted.min_max import MinMax
from sparring.attacks.crafted.min_sum import MinSum
from sparring.attacks.crafted.no_attack import NoAttack
from sparring.attacks.crafted.sign_flip import SignFlip
from sparring.attacks.crafted.worst_of import WorstOf
from sparring.attacks.learned.acting import FullUpdate, SearchRanges
from sparring.attacks.learned.learned_attack import LearnedAttack
from sparring.attacks.learned.local_search import LocalSearch
from sparring.attacks.learned.policy_network import PolicyNetwork
from sparring.attacks.learned.trained_attack import TrainedAttack, load_attack, save_attack
from sparring.contracts import Attack, Poison, Trigger

ATTACKS: Mapping[str, type[Attack]] = {
    "adaptive_lmp": AdaptiveLocalModelPoisoning,
    "alie": ALittleIsEnough,
    "bfl": PoisonedTraining,
    "eb": ExplicitBoosting,
    "gaussian": Gaussian,
    "ipm": InnerProduct,
    "learned": LearnedAttack,
    "lmp": LocalModelPoisoning,
    "local_search": LocalSearch,
    "mimic": Mimic,
    "min_max": MinMax,
    "min_sum": MinSum,
    "neurotoxin": Neurotoxin,
    "none": NoAttack,
    "pgd": ProjectedBackdoor,
    "sign_flip": SignFlip,
    "targeted_eb": TargetedBoosting,
    "worst_of": WorstOf,
}

POISONS: Mapping[str, type[Poison]] = {
    "dba": DistributedBackdoor,
    "label_flip": LabelFlip,
}

TRIGGERS: Mapping[str, type[Trigger]] = {
    "badnets": Square,
    "bars": Bars,
    "blended": Blended,
    "learned": Learned,
    "none": Unmarked,
    "square": Square,
}

__all__ = [
    "ATTACKS",
    "POISONS",
    "TRIGGERS",
    "ALittleIsEnough",
    "AdaptiveLocalModelPoisoning",
    "Bars",
    "Blended",
    "DistributedBackdoor",
    "DividedTrigger",
    "ExplicitBoosting",
    "FullUpdate",
    "Gaussian",
    "InnerProduct",
    "LabelFlip",
    "Learned",
    "LearnedAttack",
    "LocalModelPoisoning",
    "LocalSearch",
    "Mimic",
    "MinMax",
    "MinSum",
    "Neurotoxin",
    "NoAttack",
    "PoisonedTraining",
    "PolicyNetwork",
    "ProjectedBackdoor",
    "SearchRanges",
    "SignFlip",
    "Square",
    "TargetedBoosting",
    "TrainedAttack",
    "TriggerNetwork",
    "TriggerTraining",
    "Unmarked",
    "WorstOf",
    "load_attack",
    "load_trigger",
    "save_attack",
    "save_trigger",
    "train_trigger",
]
