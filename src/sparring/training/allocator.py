"""Settings of the C library's memory allocator."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt` for when freed memory is returned to the system."""

KEEP = (1 << 31) - 1
"""The largest number of bytes that `mallopt` accepts."""


def keep_freed_memory() -> bool:
    """Make the process keep freed memory; return whether the C library supports it.

    By default glibc returns large blocks to the system at once and requests them page by page in the next step, which
    takes up to a quarter of a round of a convolutional model. The setting is permanent and affects the whole process.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and all(mallopt(parameter, KEEP) for parameter in (TRIM_THRESHOLD, MMAP_THRESHOLD))


def release_freed_memory() -> None:
    """Return freed memory to the system once, after a phase that needed much more memory than later ones."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
