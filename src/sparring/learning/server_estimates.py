r"""What attackers who see only the models they are sent can estimate of the server: its step, its share, its size.

MARL, appendix B.3.1, in a corrected form. A server that averages changes the model by $\Delta = \eta\,\bar g_w$, where
$\bar g_w$ is the mean of $w$ clients' gradients. The attackers compute the gradients of their own $M$ clients at the
same model, on fresh minibatches; $\bar g$ is their mean. The mean inner product of two different attackers' gradients,
$U = \lVert\bar g\rVert^2 - \operatorname{tr}\hat\Sigma / M$, estimates $\lVert\mu\rVert^2$ without bias. All sums
are over rounds.

- **Step.** $\hat\eta = \sum\langle\Delta, \bar g\rangle / \sum\Delta t\,U$. The
  printed coordinate-wise ratio is biased towards 0 by the noise of its denominator.
- **Share.** $\hat\kappa$ is the mean share of the attackers that is sampled, over all rounds. The text averages over
  the rounds in which an attacker is sampled: too much, if there are few attackers.
- **Size.** $\sum(\lVert\Delta\rVert^2 - 2\hat\eta\langle\Delta, \bar g\rangle +
  \hat\eta^2 U)$ estimates $\eta^2\sum\operatorname{tr}\Sigma / w$, and an error of
  $\hat\eta$ enters it in the second order alone. So $\hat w = \hat\eta^2\sum\operatorname{tr}\hat\Sigma$ over this
  sum, and $\hat K = \hat w / \hat\kappa$. The printed $V_k / (\hat\kappa V)$ takes the variance of the attackers'
  own mean for that of the server's, and so estimates a number near M.

All of this takes the attackers for a random sample of clients that are alike. Where clients differ, and the attackers
are not a random sample of them, η is off by their difference, and the size can be undetermined. Under another rule
than the mean, the step is the effective one, and the size that of a mean which is as noisy.
"""

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import NamedTuple

import torch

from sparring.arrays import Matrix, Vector
from sparring.errors import ConfigError
from sparring.snapshot import Codec, Snapshot, pack_fields, unpack_fields


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float


class ServerEstimates(NamedTuple):
    """What is estimated of the server; None is undetermined."""

    step: Estimate | None
    """η: the learning rate of clients times that of the server."""
    share: Estimate | None
    """κ: the share of clients that is sampled in a round."""
    size: Estimate | None
    """K: the number of clients."""


class Sums(NamedTuple):
    """Sums of some quantities over rounds, and of their products, from which errors of ratios follow."""

    rounds: int
    totals: Vector
    """`[quantities]`, in float64."""
    products: Matrix
    """`[quantities, quantities]`."""

    def add(self, *quantities: float) -> "Sums":
        """Return the sums with one more round."""
        new = torch.tensor(quantities, dtype=torch.float64)
        return Sums(self.rounds + 1, self.totals + new, self.products + torch.outer(new, new))

    def deviation(self, weights: Sequence[float]) -> float:
        """Return the standard error of a weighted total whose expectation is 0."""
        each = torch.tensor(weights, dtype=torch.float64)
        return sqrt(max(float(each @ self.products @ each), 0.0))


def _empty(quantities: int) -> Sums:
    zeros = torch.zeros(quantities, dtype=torch.float64)
    return Sums(0, zeros, torch.outer(zeros, zeros))


class ServerEvidence(NamedTuple):
    """What the estimates need of the rounds that were seen."""

    rounds: int
    """Rounds that have passed."""
    attackers: int
    sampled: int
    """Own clients that were sampled, summed over the rounds."""
    moves: Sums
    """⟨Δ, ḡ⟩ and Δt U, where U estimates ‖μ‖²."""
    steps: Sums
    """Of moves within one round: ⟨Δ, ḡ⟩, U, ‖Δ‖² and tr Σ̂."""


NOTHING = ServerEvidence(0, 0, 0, _empty(2), _empty(4))


def _pack(evidence: ServerEvidence) -> Snapshot:
    moves, steps = (pack_fields(sums._asdict()) for sums in (evidence.moves, evidence.steps))
    return pack_fields({**evidence._asdict(), "moves": moves, "steps": steps})


def _unpack(packed: Snapshot) -> ServerEvidence:
    moves, steps = (unpack_fields(packed.part(name), kind=Sums) for name in ("moves", "steps"))
    rounds, attackers, sampled = (packed.numbers[name] for name in ("rounds", "attackers", "sampled"))
    return ServerEvidence(rounds, attackers, sampled, moves, steps)


EVIDENCE_CODEC: Codec[ServerEvidence] = Codec(_pack, _unpack)


def count_sampled(evidence: ServerEvidence, sampled: int, *, attackers: int) -> ServerEvidence:
    """Return the evidence after a round in which `sampled` of the attackers' clients were sampled, maybe none."""
    if not 0 <= sampled <= attackers:
        raise ConfigError(f"server estimates: {sampled} of {attackers} attackers are sampled; give a smaller number")
    return evidence._replace(rounds=evidence.rounds + 1, attackers=attackers, sampled=evidence.sampled + sampled)


def add_move(evidence: ServerEvidence, change: Vector, gradients: Matrix, *, rounds: int = 1) -> ServerEvidence:
    """Return the evidence with a change of the model: what it was when it was sent, minus what it was the next time.

    `gradients` are those of independent fresh minibatches at the first of the two models: one of each of the attackers'
    clients, whether sampled or not; a lone attacker gives two. `rounds` have passed in between. What is not finite is
    left out.
    """
    if len(gradients) < 2 or rounds < 1:
        raise ConfigError(
            f"server estimates: {len(gradients)} gradients and {rounds} rounds; give at least 2 and at least 1"
        )
    mean = gradients.mean(dim=0)
    along, length = float(change @ mean), float(change @ change)
    trace = float((gradients - mean).square().sum()) / (len(gradients) - 1)
    pairs = float(mean @ mean) - trace / len(gradients)
    if not all(map(isfinite, (along, length, pairs, trace))):
        return evidence
    evidence = evidence._replace(moves=evidence.moves.add(along, rounds * pairs))
    return evidence if rounds > 1 else evidence._replace(steps=evidence.steps.add(along, pairs, length, trace))


def estimate_server(evidence: ServerEvidence) -> ServerEstimates:
    """Return the estimates, each undetermined where the evidence is none: too few rounds, or a model that stands still.

    Standard errors are those of ratios of sums over independent rounds (delta method). That of the share is for draws
    without replacement once the size is known.
    """
    step, share = _step(evidence), _share(evidence)
    width = None if step is None else _width(evidence.steps, step)
    if width is None or share is None or share.value == 0:
        return ServerEstimates(step, share, None)
    size = width.value / share.value
    rest = (size - evidence.attackers) / (size - 1) if size > evidence.attackers else 0.0
    share = share._replace(error=share.error * sqrt(rest))
    relative = sqrt((width.error / width.value) ** 2 + (share.error / share.value) ** 2)
    return ServerEstimates(step, share, Estimate(size, size * relative))


def printed_step(changes: Matrix, means: Matrix, *, bound: float = 0.1) -> float:
    """Return η as printed: the mean of coordinate-wise ratios within ±`bound`, over rounds and coordinates.

    `changes` and `means` are `[rounds, parameters]`: of the model, and the sampled attackers' mean gradients. It is
    biased.
    """
    ratios = changes / means
    valid = ratios.isfinite() & (ratios.abs() <= bound)
    return float(torch.where(valid, ratios, 0.0).sum() / valid.sum().clamp(min=1))


def printed_size(traces: Vector, variances: Vector, share: float, *, attackers: int) -> float | None:
    r"""Return K as printed: the mean of $V_k / (\kappa V)$ over rounds, values below 2M dropped; None if none is left.

    `traces` are the variances of one attacker's gradient in each round, `variances` those of the sampled attackers'
    mean around the mean that is inferred from the models. It is near the number of attackers, not K.
    """
    sizes = traces / (share * variances)
    kept = sizes[sizes >= 2 * attackers]
    return float(kept.mean()) if len(kept) else None


def _step(evidence: ServerEvidence) -> Estimate | None:
    above, below = evidence.moves.totals.tolist()
    if evidence.moves.rounds < 2 or below <= 0 or above <= 0:
        return None
    step = above / below
    return Estimate(step, evidence.moves.deviation((1, -step)) / below)


def _share(evidence: ServerEvidence) -> Estimate | None:
    draws = evidence.rounds * evidence.attackers
    if draws == 0:
        return None
    share = evidence.sampled / draws
    return Estimate(share, sqrt(share * (1 - share) / draws))


def _width(steps: Sums, step: Estimate) -> Estimate | None:
    """Return the number w of clients in a round."""
    eta, (along, pairs, lengths, traces) = step.value, steps.totals.tolist()
    noise = lengths - 2 * eta * along + eta**2 * pairs
    if steps.rounds < 2 or noise <= 0 or traces <= 0:
        return None
    width = eta**2 * traces / noise
    residual = steps.deviation((2 * eta * width, -(eta**2) * width, -width, eta**2))
    return Estimate(width, sqrt((residual / noise) ** 2 + (2 * width * step.error / eta) ** 2))
