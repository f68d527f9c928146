"""The global generators of torch, numpy and Python, which Stable-Baselines3 draws from.

No other part of Sparring uses them: a learner has its own states, which are installed while it trains and then removed.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.random import Generator
from sparring.snapshot import Snapshot

WORD = 2**32


@contextmanager
def global_streams(states: Snapshot) -> Iterator[None]:
    """Install `states` in the global generators within the block, and restore the previous states after it."""
    before = capture_streams()
    _install(states)
    try:
        yield
    finally:
        _install(before)


def capture_streams() -> Snapshot:
    """Return the states of the global generators."""
    return _pack(torch.get_rng_state(), np.random.get_state(legacy=False), python_state=random.getstate())


def seed_streams(rng: Generator) -> Snapshot:
    """Draw initial states of the global generators."""
    torch_seed, numpy_seed, python_seed = rng.integers(WORD, size=3).tolist()
    torch_state = torch.Generator().manual_seed(torch_seed).get_state()
    numpy_state = np.random.RandomState(numpy_seed).get_state(legacy=False)
    return _pack(torch_state, numpy_state, python_state=random.Random(python_seed).getstate())


def _pack(torch_state: Tensor, numpy_state: Any, *, python_state: Any) -> Snapshot:
    version, words, gauss = python_state
    key = torch.from_numpy(numpy_state["state"]["key"].astype(np.int64))
    numbers = {
        "numpy": {name: numpy_state[name] for name in ("has_gauss", "gauss")} | {"pos": numpy_state["state"]["pos"]},
        "python": {"version": version, "gauss": gauss},
    }
    return Snapshot({"torch": torch_state, "numpy": key, "python": torch.tensor(words)}, numbers)


def _install(states: Snapshot) -> None:
    tensors, numbers = states
    torch.set_rng_state(tensors["torch"])
    position, *normal = (numbers["numpy"][name] for name in ("pos", "has_gauss", "gauss"))
    np.random.set_state(("MT19937", tensors["numpy"].numpy().astype(np.uint32), position, *normal))
    python = numbers["python"]
    random.setstate((python["version"], tuple(tensors["python"].tolist()), python["gauss"]))
