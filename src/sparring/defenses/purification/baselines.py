"""The baselines among defenses of minibatches: none of them reasons about the step that the learner takes."""

from collections.abc import Mapping

from sparring.contracts import Purification
from sparring.defenses.purification.crop_ensemble import CropEnsemble
from sparring.defenses.purification.cut_mix import CutMix
from sparring.defenses.purification.dropout import Dropout
from sparring.defenses.purification.generative import GenerativeDenoising
from sparring.defenses.purification.purification_chain import PurificationChain
from sparring.defenses.purification.validation_training import ValidationTraining

BASELINES: Mapping[str, type[Purification]] = {
    "chain": PurificationChain,
    "crop_ensemble": CropEnsemble,
    "cut_mix": CutMix,
    "dropout": Dropout,
    "generative": GenerativeDenoising,
    "validation_training": ValidationTraining,
}
