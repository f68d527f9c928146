"""The baselines among attacks on minibatches: none of them reasons about the step that the learner takes."""

from collections.abc import Mapping

from sparring.attacks.minibatch.carlini_wagner import CarliniWagner
from sparring.attacks.minibatch.deep_confuse import DeepConfuse
from sparring.attacks.minibatch.error_minimizing import ErrorMinimizing
from sparring.attacks.minibatch.evo_shift import EvoShift
from sparring.attacks.minibatch.fgsm_pgd import FgsmPgd
from sparring.attacks.minibatch.noise import Noise
from sparring.attacks.minibatch.yopo import Yopo
from sparring.contracts import Perturbation

BASELINES: Mapping[str, type[Perturbation]] = {
    "cw": CarliniWagner,
    "deep_confuse": DeepConfuse,
    "error_minimizing": ErrorMinimizing,
    "evo_shift": EvoShift,
    "fgsm_pgd": FgsmPgd,
    "noise": Noise,
    "yopo": Yopo,
}
