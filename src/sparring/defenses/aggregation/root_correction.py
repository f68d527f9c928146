"""Root correction: the server's answer, one level below a level-2 attacker, to updates from perturbed minibatches."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Vector
from sparring.contracts import DefenderView, Defense, Family, Memory, family_of, limit_of
from sparring.validation import at_least, check_vector


def correct_step(step: Vector, root: Vector, *, epsilon: float) -> Vector:
    """Return the step moved by `epsilon` lengths of `root` along it; a root that is not finite moves nothing.

    Values that overflow become the largest number.
    """
    root = check_vector("root_correction", root, of=step[None], name="root")
    return torch.add(step, root, alpha=epsilon).nan_to_num_() if torch.isfinite(root).all() else step


@dataclass(frozen=True)
class RootCorrection:
    r"""Move the aggregate of `inner` along the server's own update, the direction in which root data's loss falls most.

    $$u \leftarrow u + \epsilon\, \lVert u_0 \rVert\, e(u_0)$$

    $u_0$ is the server's own update on root data.

    This is new: the mirror image of the level-1 defender of minibatch training. A server sees updates in place of
    images, and to first order the best correction of bounded length of an update follows the gradient on root data.
    Higher levels would need the Hessian on root data, which a rule does not see.
    """

    inner: Defense
    """The rule whose aggregate is corrected."""
    epsilon: float = 1.0
    """ε, the length of the correction, in lengths of the server's own update; at least 0."""
    needs_root: ClassVar[bool] = True
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "the inner rule, and training on the root data"
    assumption: ClassVar[str] = "root data resemble the clients' data"

    def __post_init__(self) -> None:
        at_least(0, "root_correction", epsilon=self.epsilon)

    @property
    def family(self) -> Family:
        return family_of(self.inner)

    def limit(self, clients: int) -> int:
        return limit_of(self.inner, clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        step, after = self.inner.aggregate(view, memory)
        return correct_step(step, view.root(), epsilon=self.epsilon), after
