import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in an empty folder whose name is not simple."""
    place = tmp_path / "Läufe von heute"
    place.mkdir()
    monkeypatch.chdir(place)
    return place
