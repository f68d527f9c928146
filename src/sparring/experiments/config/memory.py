"""The minimum memory of a run, and the error for insufficient memory."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import torch
from torch.nn.parameter import is_lazy

from sparring.data import Dataset
from sparring.errors import ConfigError, RunError
from sparring.experiments.config.schema import FederationSettings
from sparring.models import Architecture

GIBIBYTE = 1 << 30
FLOAT = 4
"""Bytes."""
REMEDY = "use a smaller model, fewer sampled clients or smaller batches"


def refuse_oversize(
    architecture: Architecture, dataset: Dataset, *, settings: FederationSettings, device: str = "cpu"
) -> None:
    """Reject a run if a single round does not fit into the memory of the machine or device."""
    needed = round_memory(count_parameters(architecture, dataset), dataset.shape, settings=settings)
    present = memory_of(device)
    if needed > present:
        sizes = f"a round needs {needed / GIBIBYTE:.1f} GiB of memory, and {present / GIBIBYTE:.1f} GiB are present"
        raise ConfigError(f"federation: {sizes}; {REMEDY}")


def memory_of(device: str) -> int:
    """Return the total memory of a device in bytes."""
    if device == "cpu":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(torch.cuda.get_device_properties(device).total_memory)


def count_parameters(architecture: Architecture, dataset: Dataset) -> int:
    """Count the trainable parameters of a model without allocating them; 0 if that is not possible."""
    try:
        with torch.device("meta"), warnings.catch_warnings():
            # Loading pre-trained weights has no effect on the meta device.
            warnings.simplefilter("ignore")
            module = architecture.module(dataset.shape, dataset.classes)
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        if "meta" in reason:
            return 0
        raise ConfigError(f"model {type(architecture).__name__} cannot be built: {reason}") from None
    return sum(part.numel() for part in module.parameters() if part.requires_grad and not is_lazy(part))


def round_memory(size: int, shape: tuple[int, ...], *, settings: FederationSettings) -> int:
    """Return the bytes of one round's updates and minibatches, and of all clients' momenta if momentum is used."""
    examples = settings.local_steps * settings.batch * prod(shape)
    momenta = settings.clients * size if settings.momentum > 0 else 0
    return FLOAT * (settings.sampled * (size + examples) + momenta)


@contextmanager
def translate_exhaustion() -> Iterator[None]:
    """Convert out-of-memory errors into one error with a remedy."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_exhausted = isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
        if not is_exhausted:
            raise
        raise RunError(f"out of memory; {REMEDY}") from error
