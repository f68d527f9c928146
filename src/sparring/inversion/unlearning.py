"""Unlearning (Wang et al., 2019, section VI.C): train on images with the reversed trigger and their correct labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Batch, pixels
from sparring.contracts import Model, Trigger
from sparring.errors import ConfigError
from sparring.inversion.trigger_reversal import THRESHOLD, USUAL, TriggerReversal, reverse_triggers, suspicious
from sparring.random import Generator
from sparring.training import gradient
from sparring.validation import check_at_least_one, check_positive, check_shares


@dataclass(frozen=True)
class Unlearning:
    """Reverse the triggers, and unlearn those of suspicious classes; without any, the model is unchanged."""

    threshold: float = THRESHOLD
    """The anomaly index above which a class is suspicious."""
    success: float = USUAL.success
    """Fraction of the root images for which a reversed trigger must succeed."""
    search_steps: int = USUAL.steps
    """Maximum number of minibatches in the search for triggers."""
    share: float = 0.2
    """Fraction of the examples that get a trigger: the authors' value."""
    steps: int = 50
    """Gradient steps on root data, at least 1."""
    batch: int = 32
    """Root examples in a minibatch, at least 1."""
    lr: float = 0.05
    """The learning rate of these steps, above 0."""
    needs_root: ClassVar[bool] = True
    paper: ClassVar[str] = (
        "Wang et al., 2019, Neural Cleanse: identifying and mitigating backdoor attacks in neural networks, IEEE "
        "Symposium on Security and Privacy"
    )
    cost: ClassVar[str] = "a search for the trigger of each class, and a gradient for each step"
    assumption: ClassVar[str] = (
        "the trigger of a backdoored class is unusually small, and root data resemble the clients' data"
    )

    def __post_init__(self) -> None:
        if not self.threshold >= 0:
            raise ConfigError(f"unlearning.threshold is {self.threshold}; it must be at least 0")
        check_shares("unlearning", share=self.share, success=self.success)
        check_positive("unlearning", lr=self.lr)
        check_at_least_one("unlearning", steps=self.steps, batch=self.batch, search_steps=self.search_steps)

    def check(self, model: Model, *, root: Batch | None) -> None:
        """Reject a missing root data set."""
        if root is None:
            raise ConfigError("unlearning needs root data; use data.root_size >= 1")

    def repair(self, model: Model, *, root: Batch | None, rng: Generator) -> Model:
        self.check(model, root=root)
        assert root is not None
        search = TriggerReversal(success=self.success, steps=self.search_steps)
        found = suspicious(reverse_triggers(model, root, rng=rng, search=search), self.threshold)
        return self.unlearn(model, found, root=root, rng=rng)

    def unlearn(self, model: Model, triggers: Sequence[Trigger], *, root: Batch, rng: Generator) -> Model:
        """Return the model after training on root data, a fraction of which has a trigger and the correct label."""
        parameters = model.parameters
        for batch in self._minibatches(root, triggers, rng=rng) if triggers else ():
            parameters = parameters - self.lr * gradient(model.network, parameters, batch=batch)
        return Model(model.network, parameters)

    def _minibatches(self, root: Batch, triggers: Sequence[Trigger], *, rng: Generator) -> Iterator[Batch]:
        held = len(root.labels)
        for _ in range(self.steps):
            rows = rng.choice(held, min(self.batch, held), replace=False)
            inputs = pixels(root.inputs[rows]).clone()
            carried = rng.random(len(rows)) < self.share
            chosen = rng.integers(len(triggers), size=len(rows))
            for index, trigger in enumerate(triggers):
                bearers = torch.from_numpy(carried & (chosen == index)).to(inputs.device)
                inputs[bearers] = trigger.stamp(inputs[bearers])
            yield Batch(inputs, root.labels[rows])
