"""The settings of a central training: one learner, whose minibatches are attacked and defended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sparring.contracts import MinibatchRecipe
from sparring.experiments.config.schema import EXAMPLES, ROUNDS, THREADS, Config, Seed
from sparring.experiments.config.sections import Section

RECIPE = MinibatchRecipe()


@dataclass(frozen=True, kw_only=True)
class CentralDataSettings:
    """The data set, and how many of its training examples the learner and the two players have."""

    member: Section
    """The data set."""
    only: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """The classes to keep, relabeled from 0 in this order; null keeps all."""
    train: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    """The number of examples to train on, drawn at random; null takes all that are not held out."""
    validation: Annotated[int, Field(ge=1, le=EXAMPLES)] = 200
    """The number of training examples held out: their loss after a step is what both players care for."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How the learner trains."""

    epochs: Annotated[int, Field(ge=1, le=ROUNDS)] = RECIPE.epochs
    """The number of passes over the training examples; a round is one minibatch."""
    batch: Annotated[int, Field(ge=1, le=EXAMPLES)] = RECIPE.batch
    """The number of examples in a minibatch."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """The learner's optimizer."""
    lr: Annotated[float, Field(gt=0)] = RECIPE.lr
    """The learning rate of a step along the mean gradient of a minibatch."""
    objective: Literal["cross_entropy", "hinge"] = "cross_entropy"
    """The loss that the learner descends, and that both players take on the validation examples."""
    validation_batch: Annotated[int, Field(ge=1, le=EXAMPLES)] | None = None
    """The number of validation examples of a round, drawn again in every round; null takes all."""


@dataclass(frozen=True, kw_only=True)
class CentralThreatSettings:
    """What the attacker knows."""

    knowledge: Literal["white_box", "black_box"] = "white_box"
    """Whether it sees the model; if not, it replays perturbations that it recorded on a surrogate."""
    validation: bool = True
    """Whether it has the validation examples; if not, it takes its own minibatch in their place."""
    unknown: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """With `black_box`, the share of the training examples that it does not have, and has no record of."""


@dataclass(frozen=True, kw_only=True)
class CentralEvaluationSettings:
    """When and on which examples the model is evaluated."""

    every: Annotated[int, Field(ge=1, le=ROUNDS)] | None = None
    """The number of rounds from one evaluation to the next; null is one epoch. The last round is always evaluated."""
    on: Literal["test", "validation"] = "test"
    """The examples to evaluate on."""
    gradient_norm: bool = False
    """Whether to sum the norms of all training examples' gradients, too; it takes a gradient for each of them."""


@dataclass(frozen=True, kw_only=True)
class CentralExecutionSettings:
    """How a run is computed; this changes results by rounding errors at most."""

    threads: Annotated[int, Field(ge=1, le=THREADS)] = 1
    """The number of threads of a run."""
    device: Literal["cpu", "cuda"] = "cpu"
    """The device that holds the tensors and computes."""


@dataclass(frozen=True, kw_only=True)
class CentralConfig:
    """The complete configuration of a run with one learner, with every default filled in."""

    kind: ClassVar[str] = "central"
    seed: Seed = 0
    """The seed of everything random in the run."""
    data: CentralDataSettings
    model: Section
    """The network that the learner trains."""
    training: TrainingSettings = field(default_factory=TrainingSettings)
    attack: Section
    """The attack on minibatches."""
    defense: Section
    """The defense of minibatches."""
    threat: CentralThreatSettings = CentralThreatSettings()
    evaluation: CentralEvaluationSettings = CentralEvaluationSettings()
    execution: CentralExecutionSettings = field(default_factory=CentralExecutionSettings)
    files: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of the contents of each named file and folder, by its name in the configuration."""

    @property
    def has_oracle(self) -> bool:
        """No player of this kind is told what it could not know."""
        return False

    def members(self) -> Iterator[tuple[str, Section]]:
        """Yield the catalogue and the section of every member that is named."""
        yield "datasets", self.data.member
        yield "models", self.model
        yield "perturbations", self.attack
        yield "purifications", self.defense


AnyConfig = Config | CentralConfig
"""The configuration of a run of either kind."""

CENTRAL_SINCE: Mapping[str, str] = dict.fromkeys(
    (
        "seed",
        "data.name",
        "data.only",
        "data.train",
        "data.validation",
        "model",
        "training.epochs",
        "training.batch",
        "training.optimizer",
        "training.lr",
        "training.objective",
        "training.validation_batch",
        "attack",
        "defense",
        "threat.knowledge",
        "threat.validation",
        "threat.unknown",
        "evaluation.every",
        "evaluation.on",
        "evaluation.gradient_norm",
        "execution.threads",
        "execution.device",
    ),
    "0.2.0",
)
"""The version in which each key began to matter."""
