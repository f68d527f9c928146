import hashlib
from pathlib import Path

import pytest

from sparring.data.formats import publication
from sparring.data.formats.publication import Publication
from sparring.errors import DataError
from tests.data.formats.serving import serve

CONTENT = b"what was published"
MD5 = hashlib.md5(CONTENT).hexdigest()
PUBLICATION = Publication("set", "http://127.0.0.1:9/", {"file.gz": MD5, "file": MD5, "empty": MD5})


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_given_by_hand_comes_before_the_cache(given, cache):
    put(cache / "set" / "file.gz")
    path = put(given / "set" / "file")
    assert PUBLICATION.find("file.gz", "file") == path


def test_the_cache_is_searched_too(given, cache):
    path = put(cache / "set" / "file.gz")
    assert PUBLICATION.find("file.gz", "file") == path


def test_names_are_tried_in_order(given):
    put(given / "set" / "file")
    path = put(given / "set" / "file.gz")
    assert PUBLICATION.find("file.gz", "file") == path


def test_a_file_without_a_published_checksum_is_taken_as_it_is(given):
    path = put(given / "set" / "extra", b"anything")
    assert PUBLICATION.find("extra") == path


def test_what_is_nowhere_is_not_found(given):
    assert PUBLICATION.find("file.gz", "file") is None


def test_a_folder_that_is_not_there_is_named(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"SPARRING_DATA is '.*typo', which is not a folder; set it to one with"):
        PUBLICATION.find("file.gz")


@pytest.mark.parametrize(
    ("content", "nature"),
    [
        (CONTENT[:-1], "17 bytes"),
        (b"\n<!DOCTYPE html>", "a web page"),
        (b"", "0 bytes"),
    ],
)
def test_a_file_that_is_not_the_published_one_is_refused(given, content, nature):
    path = put(given / "set" / "file", content)
    with pytest.raises(DataError) as refusal:
        PUBLICATION.find("file")
    assert str(refusal.value).startswith(f"{path}: it is {nature} of md5 {hashlib.md5(content).hexdigest()};")
    assert str(refusal.value).endswith(f"of md5 {MD5}")


def test_a_file_that_cannot_be_read_is_named(given, monkeypatch):
    path = put(given / "set" / "file")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=f"{path}: cannot be read .Permission denied.; make it readable"):
        PUBLICATION.find("file")


def test_a_download_lands_in_the_cache_and_is_found_from_then_on(cache):
    with serve(CONTENT) as address:
        fetched = Publication("set", address, {"file.gz": MD5}).fetch("file.gz")
    assert fetched == cache / "set" / "file.gz"
    assert PUBLICATION.find("file.gz") == fetched


def test_a_failed_download_says_where_to_put_the_file(given):
    with pytest.raises(DataError, match=rf"put it by hand at {given}/set/file.gz \(md5 {MD5}\)"):
        PUBLICATION.fetch("file.gz")


def test_without_a_folder_of_data_it_names_the_variable(cache):
    with pytest.raises(DataError, match=r"put it by hand at \$SPARRING_DATA/set/file.gz"):
        PUBLICATION.fetch("file.gz")


def refuse_home(name: str) -> None:
    """What platformdirs does for a user without a home."""
    raise RuntimeError("could not determine the home directory")


def test_a_user_without_a_home_is_asked_for_none_where_the_file_is_given(given, monkeypatch):
    path = put(given / "set" / "file")
    monkeypatch.setattr(publication, "user_cache_path", refuse_home)
    assert PUBLICATION.find("file.gz", "file") == path


@pytest.mark.parametrize("cache_of", [refuse_home, lambda name: Path("~/.cache") / name])
def test_a_user_without_a_home_is_told_what_to_set(given, monkeypatch, cache_of):
    monkeypatch.setattr(publication, "user_cache_path", cache_of)
    assert PUBLICATION.find("file.gz", "file") is None
    with pytest.raises(DataError) as refusal:
        PUBLICATION.fetch("file.gz")
    assert str(refusal.value) == (
        "set: there is no cache for file.gz, as neither HOME nor XDG_CACHE_HOME names a folder; set one of them, "
        f"or put it by hand at {given}/set/file.gz (md5 {MD5})"
    )


def test_a_folder_that_may_not_be_looked_into_is_named(given, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(
        DataError, match=r"set/file.gz: cannot be accessed .Permission denied.; make its folder readable"
    ):
        PUBLICATION.find("file.gz")


def test_a_folder_of_data_below_a_home_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", "~nobody-of-this-name/data")
    with pytest.raises(DataError, match="SPARRING_DATA is '~nobody-of-this-name/data', which is not a folder; set it"):
        PUBLICATION.find("file.gz")
