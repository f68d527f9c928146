import hashlib
from pathlib import Path

import pytest

from sparring.data.formats.download import download
from sparring.errors import DataError
from tests.data.formats.serving import serve

CONTENT = bytes(range(256)) * 100
MD5 = hashlib.md5(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html>log in first</html>"


@pytest.fixture
def target(tmp_path, cache) -> Path:
    return tmp_path / "Übung mit Lücke" / "set" / "file.gz"


def fetch(address: str, target: Path) -> None:
    download(f"{address}file.gz", target, md5=MD5, remedy="put it by hand at HERE")


def test_a_file_of_the_right_checksum_is_kept(target):
    with serve(CONTENT) as address:
        fetch(address, target)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"content": CONTENT[:-1]}, "the download is incomplete or a different file"),
        ({"content": PAGE}, "the download is incomplete or a different file"),
        ({"content": CONTENT[:1000], "promised": len(CONTENT)}, r"cannot be downloaded \(\w+Error\)"),
        ({"content": PAGE, "status": 404}, r"cannot be downloaded \(status 404\)"),
    ],
    ids=["cut short", "web page", "connection lost", "not found"],
)
def test_anything_else_is_removed_and_the_remedy_named(target, answer, message, capfd):
    with serve(**answer) as address, pytest.raises(DataError, match=message) as refusal:
        fetch(address, target)
    assert str(refusal.value).startswith(f"{address}file.gz: ")
    assert str(refusal.value).endswith(f"put it by hand at HERE (md5 {MD5})")
    assert "\n" not in str(refusal.value)
    assert list(target.parent.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_no_network_leaves_nothing_behind(target):
    with serve(CONTENT) as address:
        pass
    with pytest.raises(DataError, match=r"cannot be downloaded \(ConnectionError\); put it by hand at HERE"):
        fetch(address, target)
    assert list(target.parent.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named_and_not_the_address(tmp_path, cache):
    (tmp_path / "set").write_text("a file where a folder should be")
    target = tmp_path / "set" / "file.gz"
    with serve(CONTENT) as address, pytest.raises(DataError) as refusal:
        fetch(address, target)
    assert str(refusal.value) == (
        f"{target}: the cache cannot be written (not a directory); make room there or make it writable, "
        f"set XDG_CACHE_HOME to another folder, or put it by hand at HERE (md5 {MD5})"
    )


@pytest.mark.parametrize("function", ["os.makedirs", "shutil.move"])
@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
def test_what_a_file_system_refuses_is_no_failed_download(target, monkeypatch, function, error):
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(function, refuse)
    reason = error.strerror.lower()
    with (
        serve(CONTENT) as address,
        pytest.raises(DataError, match=f"the cache cannot be written .{reason}.; make room"),
    ):
        fetch(address, target)
