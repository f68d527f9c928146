"""Level-k play by a malicious client of a federation: it perturbs its own minibatches, and trains as others do."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Batch
from sparring.attacks.minibatch.history import play
from sparring.contracts import MinibatchView
from sparring.random import Generator
from sparring.training.bounds import Norm
from sparring.training.reasoning import Method, Reasoning, StepSize, learner_utility


@dataclass(frozen=True)
class LevelKClient:
    r"""Move a malicious client's own images so that honest training on them raises the loss on all of its examples.

    $$x \leftarrow x + \epsilon\, \delta^k(x), \qquad \delta^1(x) = e\big(-[\nabla_x \nabla_\theta L(x)]^\top
    \sum_z \nabla_\theta L(z)\big)$$

    The sum is over the client's own examples, and θ the global model that it was sent, for every one of its local
    steps. The paper attacks a single learner; this transfer to a federation is new. A client keeps no history of its
    perturbations, so the whole perturbation is applied at once.
    """

    level: int = 1
    """k, at least 0; level 0 leaves the images unchanged."""
    epsilon: float = 3.0
    """ε, the largest norm of an image's perturbation, above 0."""
    norm: Norm = "l2"
    """`l2`, or `linf` for the largest magnitude."""
    method: Method = "auto"
    """`closed_form` (levels 1 and 2), `descent`, or `auto`: closed form where it exists."""
    step: StepSize = "infinite"
    """The step of descent: `infinite`, `theorem` for Γₖ, or the length of a step along the unit direction."""
    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )
    cost: ClassVar[str] = "the gradient on the client's examples, and a double backward pass for each local step"
    assumption: ClassVar[str] = "malicious clients are sampled often, and their own examples resemble those of others"

    def __post_init__(self) -> None:
        self._reasoning.check("level_k_client")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        """Return the batch unchanged: without the model there is nothing to reason about."""
        return batch

    def poison_informed(self, view: MinibatchView) -> Batch:
        utility = learner_utility("level_k_client", view, eta=None)
        moves = self._reasoning.attack(view.batch.inputs, utility, utility)
        return Batch(play(view, moves, epsilon=self.epsilon), view.batch.labels)

    @property
    def _reasoning(self) -> Reasoning:
        return Reasoning(self.level, self.epsilon, self.norm, self.method, self.step)
