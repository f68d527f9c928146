"""Import all of Sparring but its integrations, and fail if that writes, asks the network, draws or runs a program.

A script: it needs a process of its own. Libraries that do such things themselves when first imported come first, since
that is not ours to answer for: matplotlib builds its list of fonts, scikit-learn draws.
"""

import os
import pkgutil
import random
import sys
from importlib import import_module

import matplotlib.pyplot  # noqa: F401
import numpy as np
import sklearn.datasets  # noqa: F401
import torch

OPTIONAL = {"diffusers", "flwr", "ray", "tensorboard"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EFFECTS = (
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.system",
    "shutil.",
    "socket.",
    "subprocess.",
    "tempfile.",
)


def refuse_effects(event: str, details: tuple) -> None:
    """Stop at the first event that is more than reading a file."""
    opens_for_writing = event == "open" and (details[2] or 0) & WRITING
    if opens_for_writing or event.startswith(EFFECTS):
        raise RuntimeError(f"importing sparring does more than read: {event} {details}")


def global_states() -> tuple:
    """Return the states of all global generators."""
    legacy = np.random.get_state()  # noqa: NPY002
    return random.getstate(), legacy[1].tobytes(), legacy[2:], torch.get_rng_state().numpy().tobytes()


def import_everything() -> None:
    """Import each module that needs no extra and is no script."""
    before = global_states()
    package = import_module("sparring")
    for module in pkgutil.walk_packages(package.__path__, "sparring."):
        if not module.name.startswith("sparring.integrations") and not module.name.endswith("__main__"):
            import_module(module.name)
            assert global_states() == before, f"importing {module.name} moves a global random generator"


if __name__ == "__main__":
    # As where no extra is installed: importing one fails. Stable-Baselines3 imports TensorBoard only if it is there.
    sys.modules.update(dict.fromkeys(OPTIONAL))
    sys.addaudithook(refuse_effects)
    import_everything()
