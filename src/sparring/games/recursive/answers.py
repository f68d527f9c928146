"""Checks of what the players of a central training return; violations are attributed to the player."""

from typing import Any

from torch import Tensor

from sparring.arrays import Batch, is_finite
from sparring.contracts import Memory, Perturbation, Purification, Purified
from sparring.federation.player_checks import blame, check_memory, described

TOLERANCE = 1e-6
"""How far rounding may carry a pixel out of [0, 1]."""


def check_prepared(role: str, player: object, memory: Any) -> Memory:
    """Return the memory that a player prepared, if it can be stored."""
    check_memory(role, player, memory, largest=0)
    found: Memory = memory
    return found


def check_perturbed(attack: Perturbation, answer: Any, *, batch: Batch) -> tuple[Tensor, Memory]:
    """Return the perturbed inputs and the memory, if the learner can train on the inputs."""
    inputs, memory = _pair("attack", attack, answer)
    _check_inputs("attack", attack, inputs, shape=tuple(batch.inputs.shape))
    check_memory("attack", attack, memory, largest=batch.inputs.numel())
    return inputs, memory


def check_purified(defense: Purification, answer: Any, *, batch: Batch) -> tuple[Purified, Memory]:
    """Return what the learner trains on and the memory, if it can train on it."""
    purified, memory = _pair("defense", defense, answer)
    if not isinstance(purified, Purified) or not isinstance(purified.batch, Batch):
        blame("defense", defense, what=f"returned {described(purified)}; it must return Purified(batch)")
    inputs, labels = purified.batch
    _check_inputs("defense", defense, inputs, shape=(*inputs.shape[:1], *batch.inputs.shape[1:]))
    if not isinstance(labels, Tensor) or len(labels) != len(inputs) or len(inputs) == 0:
        blame("defense", defense, what=f"returned labels of {described(labels)}; it must return one per input")
    check_memory("defense", defense, memory, largest=batch.inputs.numel())
    return purified, memory


def _pair(role: str, player: object, answer: Any) -> tuple[Any, Any]:
    if not isinstance(answer, tuple) or len(answer) != 2:
        blame(role, player, what=f"returned {described(answer)}; it must return its inputs and its memory")
    return answer


def _check_inputs(role: str, player: object, inputs: Any, *, shape: tuple[int, ...]) -> None:
    if not isinstance(inputs, Tensor) or tuple(inputs.shape) != shape or not inputs.is_floating_point():
        blame(role, player, what=f"returned inputs of {described(inputs)}; they must be floats of shape {list(shape)}")
    if not is_finite(inputs):
        blame(role, player, what="returned inputs that are not finite")
    low, high = (bound.item() for bound in inputs.aminmax())
    if inputs.ndim == 4 and not -TOLERANCE <= low <= high <= 1 + TOLERANCE:
        blame(role, player, what=f"returned pixels from {low:g} to {high:g}; they must stay within [0, 1]")
