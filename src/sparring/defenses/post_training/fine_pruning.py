"""Fine-pruning (Liu et al., 2018): prune inactive channels, then fine-tune on clean examples."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Batch, Vector
from sparring.contracts import Model
from sparring.defenses.post_training.channels import masked
from sparring.defenses.post_training.prun import survivors
from sparring.defenses.post_training.requirements import clean_examples
from sparring.random import Generator
from sparring.training import gradient
from sparring.validation import at_least, fraction, positive


@dataclass(frozen=True)
class FinePruning:
    """Prune as `prun` does, then take a few gradient steps on root data; pruned parameters stay zero."""

    share: float = 0.5
    """Fraction of the last convolution's channels to prune, rounded down."""
    steps: int = 20
    """Gradient steps on root data after pruning, at least 0."""
    batch: int = 32
    """Root examples in a minibatch, at least 1."""
    lr: float = 0.05
    """The learning rate of these steps, above 0."""
    needs_root: ClassVar[bool] = True
    paper: ClassVar[str] = (
        "Liu et al., 2018, Fine-pruning: defending against backdooring attacks on deep neural networks, RAID"
    )
    cost: ClassVar[str] = "one pass over the root data, and a gradient for each step"
    assumption: ClassVar[str] = (
        "channels that the trigger uses are idle on clean examples, and root data resemble the clients' data"
    )

    def __post_init__(self) -> None:
        fraction("fine_pruning", share=self.share)
        at_least(0, "fine_pruning", steps=self.steps)
        at_least(1, "fine_pruning", batch=self.batch)
        positive("fine_pruning", lr=self.lr)

    def check(self, model: Model, *, root: Batch | None) -> None:
        """Reject a model that cannot be pruned."""
        # Two examples, since the model may use batch normalization.
        survivors("fine_pruning", model, inputs=clean_examples("fine_pruning", root).inputs[:2], share=self.share)

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        examples = clean_examples("fine_pruning", root)
        mask = survivors("fine_pruning", model, inputs=examples.inputs, share=self.share)
        pruned = Model(model.network, masked(model.parameters, mask))
        for _ in range(self.steps):
            step = masked(self._step(pruned, examples, rng=rng), mask)
            pruned = Model(pruned.network, pruned.parameters - step)
        return pruned

    def _step(self, model: Model, examples: Batch, *, rng: Generator) -> Vector:
        count = len(examples.labels)
        chosen = rng.choice(count, self.batch, replace=self.batch > count)
        drawn = Batch(examples.inputs[chosen], examples.labels[chosen])
        return self.lr * gradient(model.network, model.parameters, batch=drawn)
