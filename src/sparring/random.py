"""Named random streams: equal names always give equal draws, regardless of the caller and the order of calls."""

import hashlib
import json
from operator import index

import numpy as np

Generator = np.random.Generator
ENCODER = json.JSONEncoder(default=index)


def stream(seed: int, *path: str | int) -> Generator:
    """Return the generator named by `seed` and `path`, such as `stream(0, "client", client, round)`.

    The whole name is hashed, because `SeedSequence` pads with zeros: "client 3" would equal "client 3, round 0".
    """
    name = ENCODER.encode([seed, *path]).encode()
    words = np.frombuffer(hashlib.sha256(name).digest()[::-1], dtype="<u4")
    return np.random.Generator(np.random.PCG64(words.astype(np.uint32)))
