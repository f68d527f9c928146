"""Federated averaging of L2-regularized logistic regression under attack (Li et al., 2022, assumption 3).

An example is the inputs times the label, -1 or 1; the loss depends only on this product.
"""

from dataclasses import dataclass, replace
from math import sqrt

import torch
from torch import Tensor
from torch.nn.functional import softplus

from sparring.arrays import Matrix
from sparring.errors import ConfigError


@dataclass(frozen=True, kw_only=True, eq=False)
class Averaging:
    """All clients take part in every round: benign ones with one step on one example, malicious ones with any model.

    The coordinates of malicious models lie in [-reach, reach]. With the penalty, this keeps the global model in a ball:
    see `radius`.
    """

    shards: Tensor
    """The benign clients' examples, `[shards, examples, parameters]`; each shard is held by equally many clients."""
    own: Matrix
    """The malicious clients' examples, `[examples, parameters]`."""
    benign: int
    malicious: int
    lr: float = 0.1
    penalty: float = 0.1
    """λ in the loss log(1 + exp(-z·w)) + λ/2 ‖w‖² of an example z."""
    reach: float = 0.5
    rounds: int = 10

    def __post_init__(self) -> None:
        if self.benign < 1 or self.benign % len(self.shards):
            raise ConfigError(
                f"averaging.benign is {self.benign}; it must be a positive multiple of the {len(self.shards)} shards"
            )
        if self.malicious < 1:
            raise ConfigError(f"averaging.malicious is {self.malicious}; it must be at least 1")
        if not 0 < self.lr * self.penalty <= 1:
            raise ConfigError(f"averaging: lr * penalty is {self.lr * self.penalty:g}; it must be above 0, at most 1")

    @property
    def share(self) -> float:
        """ε, the fraction of benign clients."""
        return self.benign / (self.benign + self.malicious)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.own.shape[1]

    def imagined(self, estimate: Matrix) -> "Averaging":
        """Return the attackers' model of the game, in which every benign client draws from `estimate`."""
        return replace(self, shards=estimate[None])


def loss(parameters: Tensor, examples: Matrix, *, penalty: float) -> Tensor:
    """Return the mean loss of `[..., parameters]` models."""
    penalties: Tensor = penalty / 2 * parameters.square().sum(dim=-1)
    return softplus(-(parameters @ examples.T)).mean(dim=-1) + penalties


def objective(game: Averaging, parameters: Tensor) -> Tensor:
    """Return f, the loss of `[..., parameters]` models on the data of all clients, which the attackers maximize."""
    benign = loss(parameters, game.shards.flatten(0, 1), penalty=game.penalty)
    return game.share * benign + (1 - game.share) * loss(parameters, game.own, penalty=game.penalty)


def step_models(game: Averaging, parameters: Tensor, *, drawn: Tensor, models: Tensor) -> Tensor:
    """Return the mean of all clients' models after a round from `[..., parameters]`.

    `drawn` are the benign clients' examples, `[..., benign, parameters]`, `models` the means of the malicious models.
    """
    wrong = torch.sigmoid(-torch.einsum("...p,...hp->...h", parameters, drawn))
    pulled = torch.einsum("...h,...hp->...p", wrong, drawn) / game.benign
    benign = (1 - game.lr * game.penalty) * parameters + game.lr * pulled
    return game.share * benign + (1 - game.share) * models


def finals(game: Averaging, plans: Tensor, *, draws: Tensor) -> Tensor:
    """Return the final `[plans, courses, parameters]` models of `[plans, rounds, parameters]` actions in [-1, 1].

    `draws` are the indices of the benign clients' examples in their shards, `[rounds, courses, benign]`, the same for
    all plans. Every course starts from 0.
    """
    holder = torch.arange(game.benign) % len(game.shards)
    parameters = torch.zeros(len(plans), draws.shape[1], game.size)
    for actions, indices in zip(plans.unbind(dim=1), draws, strict=True):
        drawn = game.shards[holder, indices]
        parameters = step_models(game, parameters, drawn=drawn, models=game.reach * actions[:, None])
    return parameters


def radius(game: Averaging, longest: float) -> float:
    """Return a bound on the norm of the global model, if no example that clients draw has a norm above `longest`.

    A round maps a norm of at most r to at most ε((1 - ηλ)r + η longest) + (1 - ε) reach √parameters.
    """
    kept = game.share * (1 - game.lr * game.penalty)
    gained = game.share * game.lr * longest + (1 - game.share) * game.reach * sqrt(game.size)
    return sum(gained * kept**past for past in range(game.rounds))
