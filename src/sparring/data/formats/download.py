"""Download a file with a known checksum, or leave no file behind."""

import logging
from pathlib import Path

import pooch

from sparring.errors import DataError

CACHE = "XDG_CACHE_HOME"
"""The environment variable for the cache folder, if it is not below HOME."""
SILENCE = 30.0
"""Timeout in seconds after which a server counts as unreachable."""

LOGGER = logging.getLogger(__name__)


def download(url: str, target: Path, *, md5: str, remedy: str) -> None:
    """Download `url` to `target` and verify its checksum; `remedy` ends the message on failure."""
    LOGGER.info("downloading %s to %s", url, target)
    pooch.get_logger().setLevel(logging.WARNING)  # pooch would print what is logged above to stderr
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
        raise DataError(f"{url}: the download is incomplete or a different file; {remedy} (md5 {md5})") from None


def _refusal(error: OSError) -> str:
    """Return the file system's error text, also if pooch has wrapped the error."""
    first = error.__cause__ if isinstance(error.__cause__, OSError) else error
    return str(first.strerror).lower()


def _reason(error: OSError) -> str:
    """Return a short reason for a failed request, and close its response if there was one."""
    answer = getattr(error, "response", None)
    if answer is None:
        return error.strerror or type(error).__name__
    answer.close()
    return f"status {answer.status_code}"
