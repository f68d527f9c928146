"""Checks of players during a simulation; violations are attributed to the player."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn, ParamSpec

import torch
from torch import Tensor

from sparring.arrays import Batch, Matrix, Vector, is_finite
from sparring.contracts import (
    Attack,
    Backdoor,
    Defense,
    Memory,
    Model,
    Perturbation,
    Poison,
    Purification,
    Purified,
    Repair,
    RoundPlan,
    Server,
)
from sparring.errors import PluginError, attribute_errors
from sparring.validation import is_player

Asked = ParamSpec("Asked")


TOLERANCE = 1e-6
"""How far rounding may carry a pixel out of [0, 1]."""


class Shown(NamedTuple):
    """A tensor that a player sees, and its count of in-place writes when the player got it."""

    name: str
    tensor: Tensor
    writes: int


class MutationGuard:
    """Detects in-place writes to tensors without reading their values.

    Writes through NumPy are not counted; the conformance kit, which compares values, detects these too.
    """

    def __init__(self) -> None:
        self._shown: list[Shown] = []

    def show(self, name: str, tensor: Tensor) -> Tensor:
        """Return the tensor, watched from now on."""
        self._shown.append(Shown(name, tensor, _writes(tensor)))
        return tensor

    def later(self, name: str, compute: Callable[Asked, Tensor]) -> Callable[Asked, Tensor]:
        """Return the same function, with its result watched."""

        def computed(*asked: Asked.args, **named: Asked.kwargs) -> Tensor:
            return self.show(name, compute(*asked, **named))

        return computed

    def edited(self) -> str | None:
        """Return the name of the first tensor that was written to."""
        return next((name for name, tensor, writes in self._shown if _writes(tensor) != writes), None)


def _writes(tensor: Tensor) -> int:
    # Autograd's version counter, which all views of a tensor share; it is documented, but has no public name.
    return tensor._version  # noqa: SLF001


@contextmanager
def guard_player(role: str, player: object) -> Iterator[MutationGuard]:
    """Run a player; the errors that it raises and the mutations of its inputs are attributed to it."""
    watch = MutationGuard()
    with attribute_errors(f"{role} {type(player).__name__}"):
        yield watch
    edited = watch.edited()
    if edited is not None:
        blame(role, player, what=f"edited {edited} in place; it must not modify its inputs")


def check_rows(attack: Attack, crafted: Any, *, shape: tuple[int, ...]) -> Matrix:
    """Return the crafted rows if they can be submitted; the server checks whether they are finite."""
    if not isinstance(crafted, Tensor) or crafted.shape != shape:
        blame("attack", attack, what=f"returned {described(crafted)}; it must return shape {list(shape)}")
    return crafted


def check_batch(poison: Poison | Backdoor, poisoned: Any, *, batch: Batch) -> Batch:
    """Return the poisoned batch, if it has the form of the original."""
    if not isinstance(poisoned, Batch):
        blame("poison", poison, what=f"returned {described(poisoned)}; it must return a Batch")
    for name, tensor, wanted in zip(Batch._fields, poisoned, batch, strict=True):
        if not isinstance(tensor, Tensor) or (tensor.shape, tensor.dtype) != (wanted.shape, wanted.dtype):
            blame("poison", poison, what=f"returned {name} of {described(tensor)}; it must keep {described(wanted)}")
    return poisoned


def check_meant(backdoor: Backdoor, meant: Any, *, labels: Tensor) -> Tensor:
    """Return the mask of labels that a backdoor is meant for, if it has one boolean per label."""
    if not isinstance(meant, Tensor) or (meant.shape, meant.dtype) != (labels.shape, torch.bool):
        what = f"means {described(meant)}; it must return shape {list(labels.shape)}, torch.bool"
        blame("poison", backdoor, what=what)
    return meant


def check_model(repair: Repair, repaired: Any) -> Model:
    """Return the repaired model, if it is a Model."""
    if not isinstance(repaired, Model):
        blame("post-training defense", repair, what=f"returned {described(repaired)}; it must return a Model")
    return repaired


def check_answer(defense: Defense, answer: Any, *, updates: Matrix) -> tuple[Vector, Memory]:
    """Return a rule's step and memory, if the server can apply the step and store the memory."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        blame("defense", defense, what=f"returned {described(answer)}; it must return a step and its memory")
    step, memory = answer
    shape = updates.shape[1:]
    if not isinstance(step, Tensor) or (step.shape, step.dtype) != (shape, updates.dtype):
        wanted = f"{updates.dtype} of shape {list(shape)}"
        blame("defense", defense, what=f"returned a step of {described(step)}; it must be {wanted}")
    if not is_finite(step):
        blame("defense", defense, what="returned a step that is not finite; finite updates need a finite step")
    check_memory("defense", defense, memory, largest=len(updates) * step.numel())
    return step, memory


def check_plan(server: Server, answer: Any, *, parameters: int) -> tuple[RoundPlan, Memory]:
    """Return a server's plan and memory, if the plan can be played and the memory stored."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        blame("defense", server, what=f"planned {described(answer)}; it must return a plan and its memory")
    plan, memory = answer
    if not isinstance(plan, tuple) or len(plan) != 2 or not is_player(plan[0], "aggregate"):
        blame(
            "defense",
            server,
            what=f"planned {described(plan)}; it must be a RoundPlan(rule, repair)",
        )
    rule, repair = plan
    if repair is not None and not is_player(repair, "repair"):
        blame("defense", server, what=f"planned the repair {described(repair)}; it must be one, or None")
    check_memory("defense", server, memory, largest=parameters)
    return RoundPlan(rule, repair), memory


def check_crafted(attack: Attack, answer: Any, *, shape: tuple[int, ...]) -> tuple[Matrix, Memory]:
    """Return the rows and the memory of an attack, if both can be used."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        blame("attack", attack, what=f"returned {described(answer)}; it must return its rows and its memory")
    rows, memory = answer
    check_memory("attack", attack, memory, largest=shape[0] * shape[1])
    return check_rows(attack, rows, shape=shape), memory


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


def check_memory(role: str, player: object, memory: Any, *, largest: int) -> None:
    if not isinstance(memory, Mapping):
        blame(role, player, what=f"returned a memory of {described(memory)}; it must map names to tensors")
    for name, tensor in memory.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            blame(role, player, what=f"remembers {name!r} as {described(tensor)}; it must map names to tensors")
        # Checking larger tensors would be slow; invalid values in them show up in a later step.
        if tensor.numel() <= largest and not is_finite(tensor):
            blame(role, player, what=f"remembers {name!r}, which is not finite; it must remember finite values")


def described(value: object) -> str:
    return f"shape {list(value.shape)}, {value.dtype}" if isinstance(value, Tensor) else type(value).__name__


def blame(role: str, player: object, *, what: str) -> NoReturn:
    raise PluginError(f"{role} {type(player).__name__} {what}")
