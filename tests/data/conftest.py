"""A folder of data and a cache of the test's own, instead of the user's."""

from pathlib import Path

import pytest

from sparring.data.formats import publication


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Keep the user's own cache and data out of the test."""
    monkeypatch.setattr(publication, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.delenv("SPARRING_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache" / "sparring"


@pytest.fixture
def given(tmp_path, cache, monkeypatch) -> Path:
    """Name a folder, not an easy one, by the environment variable."""
    folder = tmp_path / "données à moi"
    folder.mkdir()
    monkeypatch.setenv("SPARRING_DATA", str(folder))
    return folder
