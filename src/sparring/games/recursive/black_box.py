"""An attacker that does not see the model: it records perturbations on a surrogate, and replays them (section 4.6)."""

from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from sparring.arrays import Batch
from sparring.contracts import Memory, MinibatchView, Network, Perturbation, Preparation, Targeted, unnoted
from sparring.defenses import Unchanged
from sparring.games.recursive.central import (
    CentralState,
    CentralTraining,
    train_central,
    view_minibatch,
)
from sparring.training.gradients import summed_gradient
from sparring.validation import fraction

SEEDS = 2**31


@dataclass(frozen=True)
class BlackBoxAttack:
    """Replay of the perturbations that an attack ended with on a surrogate, which it attacked during its training.

    The surrogate has an initial model and an order of minibatches of its own. An example without a record is perturbed
    as the attack would on the surrogate at the end of its training.
    """

    attack: Perturbation
    network: Network | None = None
    """The surrogate's network; None for one like the learner's."""
    validates: bool = True
    """Whether it has the validation examples."""
    unknown: float = 0.0
    """The share of the training examples that the attacker does not have, at least 0 and below 1."""
    learns_beforehand: ClassVar[bool] = True

    def __post_init__(self) -> None:
        fraction("threat", unknown=self.unknown)

    @property
    def target(self) -> int | None:
        """The class that the attack is about, if it is targeted."""
        return self.attack.target if isinstance(self.attack, Targeted) else None

    def prepare(self, preparation: Preparation) -> Memory:
        """Train a surrogate under attack, and record the perturbation of each example that the attacker has."""
        train = preparation.train
        assert train is not None
        rng = preparation.rng
        kept = torch.from_numpy(rng.permutation(len(train.labels)))[round(self.unknown * len(train.labels)) :]
        training = CentralTraining(
            network=self.network or preparation.network,
            train=Batch(train.inputs[kept], train.labels[kept]),
            validation=preparation.validation,
            test=preparation.validation,
            recipe=preparation.recipe,
            attack=self.attack,
            defense=Unchanged(),
            objective=preparation.objective,
            attacker_validates=self.validates,
            seed=int(rng.integers(SEEDS)),
        )
        state = train_central(training)
        recorded = torch.zeros(train.inputs.shape, dtype=torch.float16, device=train.inputs.device)
        recorded[kept] = record_attack(training, state)
        known = torch.zeros(len(train.labels), dtype=torch.bool, device=train.labels.device)
        known[kept] = True
        return {"recorded": recorded, "known": known, "surrogate": state.parameters}

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        """Add what was recorded; the memory stays."""
        assert view.examples is not None
        perturbed = (view.batch.inputs + memory["recorded"][view.examples]).clamp_(0, 1)
        others = (~memory["known"][view.examples]).nonzero().flatten()
        if len(others) > 0:
            perturbed[others] = self._compute(view, others, memory["surrogate"])
        return perturbed, memory

    def _compute(self, view: MinibatchView, rows: Tensor, surrogate: Tensor) -> Tensor:
        """Return what the attack makes of some examples on the surrogate."""
        network = self.network or view.network
        gradient = cache(lambda: summed_gradient(network, surrogate, batch=view.validation, objective=view.objective))
        own = replace(
            view,
            network=network,
            parameters=surrogate,
            batch=Batch(view.batch.inputs[rows], view.batch.labels[rows]),
            examples=rows,
            validation_gradient=gradient,
        )
        return _without_history(self.attack).perturb(own, {})[0]


def record_attack(training: CentralTraining, state: CentralState) -> Tensor:
    """Return what the attack adds to each training example at the end of a training, `[examples, ...]` in float16."""
    chunks = torch.arange(len(training.train.labels)).split(training.recipe.batch)
    views = (view_minibatch(training, state, rows, note=unnoted) for rows in chunks)
    parts = [training.attack.perturb(view, state.attack)[0] - view.batch.inputs for view in views]
    return torch.cat(parts).half()


def _without_history(attack: Perturbation) -> Perturbation:
    """Return the attack with the whole perturbation at once, if it has a history of its perturbations."""
    has_momentum = is_dataclass(attack) and "momentum" in {field.name for field in fields(attack)}
    changed: Any = replace(attack, momentum=0.0) if has_momentum else attack  # type: ignore[type-var]
    found: Perturbation = changed
    return found
