"""Federations of logistic regression that are quickly played."""

import torch

from sparring.games.exact import Averaging
from sparring.random import stream


def examples(*shape: int, seed: int = 0) -> torch.Tensor:
    """Draw examples whose longest has norm 1."""
    drawn = torch.from_numpy(stream(seed, "examples").standard_normal(shape)).float()
    return drawn / drawn.norm(dim=-1).max()


def averaging(**settings) -> Averaging:
    """Four benign clients with a shard each, and a malicious one; three parameters."""
    usual = {"shards": examples(4, 6, 3), "own": examples(6, 3, seed=1), "benign": 4, "malicious": 1, "rounds": 4}
    return Averaging(**{**usual, **settings})
