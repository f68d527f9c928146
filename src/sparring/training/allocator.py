"""Memory that stays mapped between rounds."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""The parameters of glibc's `mallopt` for when freed memory goes back to the system."""

KEEP = (1 << 31) - 1
"""The largest number of bytes that `mallopt` takes."""


def keep_freed_memory() -> bool:
    """Let the process keep what it frees, and say whether the C library can.

    By default glibc returns large blocks to the system at once and gets them anew, page by page, in the next step:
    up to a quarter of a round of a convolutional model. The setting holds for the whole process, and for good.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and all(mallopt(parameter, KEEP) for parameter in (TRIM_THRESHOLD, MMAP_THRESHOLD))


def release_freed_memory() -> None:
    """Give back, this once, what is freed: after much more memory was needed than ever will be again."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
