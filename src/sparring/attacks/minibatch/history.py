"""The attacker's history of its own perturbations: momentum that keeps training stable (appendix A.1.1)."""

import torch
from torch import Tensor

from sparring.contracts import Memory, MinibatchView, Preparation
from sparring.errors import ConfigError
from sparring.training.bounds import Norm, clip_to_pixels, project_rows


def zero_history(player: str, preparation: Preparation, *, momentum: float) -> Memory:
    """Return the history before the first round: half-precision zeros shaped like the training inputs.

    Without momentum there is nothing to remember.
    """
    if momentum == 0:
        return {}
    if preparation.train is None:
        raise ConfigError(f"{player}: momentum={momentum} needs the training examples; use momentum=0")
    inputs = preparation.train.inputs
    return {"history": torch.zeros(inputs.shape, dtype=torch.float16, device=inputs.device)}


def with_momentum(
    player: str, view: MinibatchView, memory: Memory, *, moves: Tensor, momentum: float, norm: Norm
) -> tuple[Tensor, Memory]:
    """Return Proj(βδᴴ + (1 - β)δ) of the minibatch's examples, and the memory with it; δ are the `moves`.

    Only the examples of the minibatch are updated. What is remembered was not clipped to the range of pixels.
    """
    if momentum == 0:
        return moves, memory
    if view.examples is None or "history" not in memory:
        raise ConfigError(f"{player}: momentum={momentum} needs the history that `prepare` returns; use momentum=0")
    history = memory["history"]
    mixed = torch.lerp(moves, history.index_select(0, view.examples).to(moves.dtype), momentum)
    # Rounded before it is used, so that what is remembered is what was played. A mean of two rows within the ball is
    # within it, so the projection concerns the rounding alone.
    kept = mixed.to(history.dtype)
    updated = history.index_copy(0, view.examples, kept)
    return project_rows(kept.to(moves.dtype), norm), {**memory, "history": updated}


def play(view: MinibatchView, moves: Tensor, *, epsilon: float) -> Tensor:
    """Return the inputs moved by ε times rows of norm at most 1, and clipped to the range of pixels."""
    still = (torch.linalg.vector_norm(moves.flatten(1), torch.inf, dim=1) == 0).nonzero().flatten().tolist()
    if still:
        view.note("still", still)
    return clip_to_pixels(torch.add(view.batch.inputs, moves, alpha=epsilon))
