"""Download a file of known checksum, or leave nothing behind."""

import logging
from pathlib import Path

import pooch

from sparring.errors import DataError

CACHE = "XDG_CACHE_HOME"
"""The environment variable that names the folder in which caches lie, if that is not below HOME."""
SILENCE = 30.0
"""Seconds without an answer after which a server counts as unreachable."""

LOGGER = logging.getLogger(__name__)


def download(url: str, target: Path, *, md5: str, remedy: str) -> None:
    """Write the file at `url` to `target` once its checksum is right; `remedy` ends the message if that fails."""
    LOGGER.info("downloading %s to %s", url, target)
    pooch.get_logger().setLevel(logging.WARNING)  # it would write to stderr what is logged above
    try:
        pooch.retrieve(
            url,
            known_hash=f"md5:{md5}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(timeout=SILENCE),
        )
    except OSError as error:
        if hasattr(error, "request"):
            raise DataError(f"{url}: cannot be downloaded ({_reason(error)}); {remedy} (md5 {md5})") from None
        way_out = f"make room there or make it writable, set {CACHE} to another folder, or {remedy}"
        raise DataError(f"{target}: the cache cannot be written ({_refusal(error)}); {way_out} (md5 {md5})") from None
    except ValueError:
        raise DataError(f"{url}: what arrived is cut short or another file; {remedy} (md5 {md5})") from None


def _refusal(error: OSError) -> str:
    """Say what a file system refused, also where pooch has put words of its own around that."""
    first = error.__cause__ if isinstance(error.__cause__, OSError) else error
    return str(first.strerror).lower()


def _reason(error: OSError) -> str:
    """Say in few words what went wrong with a request, and close the answer if there was one."""
    answer = getattr(error, "response", None)
    if answer is None:
        return error.strerror or type(error).__name__
    answer.close()
    return f"status {answer.status_code}"
