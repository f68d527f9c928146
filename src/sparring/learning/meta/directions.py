"""In which direction a meta-policy θ moves, given how it adapted to a type and what that was worth.

`debiased` is an unbiased estimate of the gradient of V(θ) = E J(θ + η ∇̂J(τ)), where the episodes τ are drawn by θ. The
derivative has two parts: the episodes held fixed, θ' depends on θ by the Jacobian I + η ∂∇̂J(τ; θ)/∂θ; and θ decides
which episodes are drawn, by the score ∇ log q(τ; θ). `first_order` leaves out both, and is what algorithm 3 of the
meta-Stackelberg game does in its branch "Reptile". `reptile` (Nichol et al., 2018; the game's algorithm 2) moves
towards θ'. The three lead to different points. `printed_debiased` is the game's E4 with E5 put in, and leads nowhere.
"""

from collections.abc import Callable

from torch.func import jacrev

from sparring.arrays import Vector
from sparring.errors import ConfigError
from sparring.learning.meta.adaptation import AdaptedLeader
from sparring.learning.meta.policy_gradient import ReturnEstimate, gradient, hessian_product

MetaDirection = Callable[[AdaptedLeader, ReturnEstimate, float], Vector]
"""Given an adaptation, the return at θ' in fresh episodes, and a guess of that return, in which direction θ moves."""


def debiased(adapted: AdaptedLeader, reached: ReturnEstimate, baseline: float) -> Vector:
    """Return the unbiased gradient of the return after adaptation, for any number of steps.

    The baseline is subtracted from the return where it multiplies the score. It must not depend on the episodes of this
    adaptation; then it changes the variance only. The steps are differentiated from the last to the first, each by one
    Hessian-vector product: no Hessian is stored.
    """
    direction = gradient(reached.mean, adapted.end)
    for weights, estimate in zip(adapted.path[-2::-1], adapted.estimates[::-1], strict=True):
        direction = direction + adapted.step * hessian_product(estimate.mean, weights, direction)
        direction = direction + (reached.value - baseline) * score(estimate, weights)
    return direction


def first_order(adapted: AdaptedLeader, reached: ReturnEstimate, baseline: float) -> Vector:
    """Return the gradient at θ', as if θ' did not depend on θ. Biased, also on average over types."""
    return gradient(reached.mean, adapted.end)


def reptile(adapted: AdaptedLeader, reached: ReturnEstimate, baseline: float) -> Vector:
    """Return θ' - θ: what the adaptation changed."""
    return adapted.end - adapted.start


def printed_debiased(adapted: AdaptedLeader, reached: ReturnEstimate, baseline: float) -> Vector:
    """Return E4 with E5 put in, as printed: not a gradient of anything. It is here to be shown wrong.

    E5 estimates the Hessian of J, by ∂g/∂θ + g ∇ log qᵀ for each episode. In E4 the Jacobian of the *estimate* is due,
    which is ∂g/∂θ alone: that θ changes the distribution of episodes is the second term of E4, and E5 counts it again.
    The Σ π of E4 is read as Σ log π here, over all episodes of the batch.
    """
    if len(adapted.estimates) != 1:
        raise ConfigError(f"printed_debiased: the adaptation has {len(adapted.estimates)} steps; E4 is for 1")
    (estimate,), direction = adapted.estimates, gradient(reached.mean, adapted.end)
    along = jacrev(estimate.surrogates)(adapted.start) @ direction  # [episodes]
    likelihoods = estimate.log_likelihoods
    doubled = 0.0 if likelihoods is None else gradient(lambda at: (along * likelihoods(at)).mean(), adapted.start)
    return (
        direction
        + adapted.step * (hessian_product(estimate.mean, adapted.start, direction) + doubled)
        + (reached.value - baseline) * score(estimate, adapted.start)
    )


def score(estimate: ReturnEstimate, weights: Vector) -> Vector:
    """Return ∇ log q of all episodes of a batch together; 0 if nothing was drawn."""
    likelihoods = estimate.log_likelihoods
    return (
        weights.new_zeros(weights.shape) if likelihoods is None else gradient(lambda at: likelihoods(at).sum(), weights)
    )
