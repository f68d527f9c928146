"""Training on the validation examples alone: what every defense of minibatches must beat."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.contracts import Memory, MinibatchView, Purified
from sparring.defenses.purification.validation_examples import draw_validation


@dataclass(frozen=True)
class ValidationTraining:
    """Replace each minibatch by as many random validation examples, or by all if there are fewer.

    No perturbation reaches the learner, and no training example does. A defense that does not beat it makes no use of
    the training examples. R2T2 reports 91.2 % on MNIST and 51.8 % on CIFAR-10 with CutMix, which `chain` adds.
    """

    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )
    cost: ClassVar[str] = "O(b)"
    assumption: ClassVar[str] = "the validation examples are clean and enough to train on"

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        return Purified(draw_validation("validation_training", view, len(view.batch.labels))), memory
