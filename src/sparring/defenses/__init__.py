"""Defenses: aggregation rules, as functions and in a catalogue, and post-training defenses and purifications."""

from collections.abc import Mapping

from sparring.contracts import Defense, Purification, Repair, Server
from sparring.defenses.aggregation.bucketing import Bucketing, bucketing
from sparring.defenses.aggregation.bulyan import Bulyan, bulyan
from sparring.defenses.aggregation.centered_clipping import CenteredClipping, centered_clipping
from sparring.defenses.aggregation.clipped import Clipped, clip_rows
from sparring.defenses.aggregation.clipped_trimmed_mean import ClippedTrimmedMean
from sparring.defenses.aggregation.clipping_median import ClippingMedian
from sparring.defenses.aggregation.crfl import CRFL, crfl
from sparring.defenses.aggregation.dnc import DnC, dnc
from sparring.defenses.aggregation.flame import FLAME, flame
from sparring.defenses.aggregation.fltrust import FLTrust, fltrust
from sparring.defenses.aggregation.foolsgold import FoolsGold, foolsgold
from sparring.defenses.aggregation.geometric_median import GeometricMedian, geometric_median
from sparring.defenses.aggregation.graded_trust import GradedTrust
from sparring.defenses.aggregation.krum import Krum, krum
from sparring.defenses.aggregation.mean import Mean, mean
from sparring.defenses.aggregation.median import Median, median
from sparring.defenses.aggregation.multi_krum import MultiKrum, multi_krum
from sparring.defenses.aggregation.nearest_neighbor_mixing import NearestNeighborMixing, nearest_neighbor_mixing
from sparring.defenses.aggregation.norm_bounding import NormBounding
from sparring.defenses.aggregation.root_correction import RootCorrection
from sparring.defenses.aggregation.safeguard import Safeguard, safeguard
from sparring.defenses.aggregation.signguard import SignGuard, signguard
from sparring.defenses.aggregation.trimmed_mean import TrimmedMean, trimmed_mean
from sparring.defenses.aggregation.weak_differential_privacy import WeakDifferentialPrivacy, weak_differential_privacy
from sparring.defenses.learned.actions import DefenseActions, SynthesisActions
from sparring.defenses.learned.adaptation import ADAPTERS, Adapter, NoAdapter, PolicyGradientAdapter
from sparring.defenses.learned.learned_defense import LearnedDefense, defense_policy
from sparring.defenses.post_training.clp import CLP
from sparring.defenses.post_training.fine_pruning import FinePruning
from sparring.defenses.post_training.mm_bm import MMBM
from sparring.defenses.post_training.neuroclip import NeuroClip, neuroclip
from sparring.defenses.post_training.no_repair import NoRepair
from sparring.defenses.post_training.prun import Prun
from sparring.defenses.post_training.smoothing import Certificate, Smoothing, certify
from sparring.defenses.purification.crop_ensemble import CropEnsemble
from sparring.defenses.purification.cut_mix import CutMix
from sparring.defenses.purification.dropout import Dropout
from sparring.defenses.purification.generative import GenerativeDenoising
from sparring.defenses.purification.level_k import LevelKDefense as LevelK
from sparring.defenses.purification.purification_chain import PurificationChain
from sparring.defenses.purification.unchanged import Unchanged
from sparring.defenses.purification.validation_training import ValidationTraining

DEFENSES: Mapping[str, type[Defense | Server]] = {
    "bucketing": Bucketing,
    "bulyan": Bulyan,
    "centered_clipping": CenteredClipping,
    "clipped": Clipped,
    "clipped_trimmed_mean": ClippedTrimmedMean,
    "clipping_median": ClippingMedian,
    "crfl": CRFL,
    "dnc": DnC,
    "fedavg": Mean,
    "flame": FLAME,
    "fltrust": FLTrust,
    "foolsgold": FoolsGold,
    "geometric_median": GeometricMedian,
    "graded_trust": GradedTrust,
    "krum": Krum,
    "learned": LearnedDefense,
    "mean": Mean,
    "median": Median,
    "multi_krum": MultiKrum,
    "nearest_neighbor_mixing": NearestNeighborMixing,
    "norm_bounding": NormBounding,
    "rfa": GeometricMedian,
    "root_correction": RootCorrection,
    "safeguard": Safeguard,
    "signguard": SignGuard,
    "trimmed_mean": TrimmedMean,
    "weak_differential_privacy": WeakDifferentialPrivacy,
}
"""The aggregation rules, and the servers that plan a rule and a post-training defense in each round."""

POST_TRAINING: Mapping[str, type[Repair]] = {
    "clp": CLP,
    "fine_pruning": FinePruning,
    "mm_bm": MMBM,
    "neuroclip": NeuroClip,
    "none": NoRepair,
    "prun": Prun,
    "smoothing": Smoothing,
}
"""The post-training defenses, applied to the model before it is deployed."""

PURIFICATIONS: Mapping[str, type[Purification]] = {
    "chain": PurificationChain,
    "crop_ensemble": CropEnsemble,
    "cut_mix": CutMix,
    "dropout": Dropout,
    "generative": GenerativeDenoising,
    "level_k": LevelK,
    "none": Unchanged,
    "validation_training": ValidationTraining,
}
"""The defenses of the minibatches of central training."""

__all__ = [
    "ADAPTERS",
    "CLP",
    "CRFL",
    "DEFENSES",
    "FLAME",
    "MMBM",
    "POST_TRAINING",
    "PURIFICATIONS",
    "Adapter",
    "Bucketing",
    "Bulyan",
    "CenteredClipping",
    "Certificate",
    "Clipped",
    "ClippedTrimmedMean",
    "ClippingMedian",
    "CropEnsemble",
    "CutMix",
    "DefenseActions",
    "DnC",
    "Dropout",
    "FLTrust",
    "FinePruning",
    "FoolsGold",
    "GenerativeDenoising",
    "GeometricMedian",
    "GradedTrust",
    "Krum",
    "LearnedDefense",
    "LevelK",
    "Mean",
    "Median",
    "MultiKrum",
    "NearestNeighborMixing",
    "NeuroClip",
    "NoAdapter",
    "NoRepair",
    "NormBounding",
    "PolicyGradientAdapter",
    "Prun",
    "PurificationChain",
    "RootCorrection",
    "Safeguard",
    "SignGuard",
    "Smoothing",
    "SynthesisActions",
    "TrimmedMean",
    "Unchanged",
    "ValidationTraining",
    "WeakDifferentialPrivacy",
    "bucketing",
    "bulyan",
    "centered_clipping",
    "certify",
    "clip_rows",
    "crfl",
    "defense_policy",
    "dnc",
    "flame",
    "fltrust",
    "foolsgold",
    "geometric_median",
    "krum",
    "mean",
    "median",
    "multi_krum",
    "nearest_neighbor_mixing",
    "neuroclip",
    "safeguard",
    "signguard",
    "trimmed_mean",
    "weak_differential_privacy",
]
