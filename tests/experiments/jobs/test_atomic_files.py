import errno
import os
import resource
from contextlib import contextmanager

import pytest

from sparring.errors import RunError
from sparring.experiments.jobs.atomic_files import admit_writing, read_json, translate_os_errors, write, write_json


@contextmanager
def small_files(largest):
    """Let no file of this process grow beyond `largest` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "größe 1.json"
    write(path, b"before")
    write(path, b"after")
    assert path.read_bytes() == b"after"
    assert os.listdir(tmp_path) == [path.name]


def test_a_full_disk_leaves_the_file_before_and_nothing_else(tmp_path):
    path = tmp_path / "state"
    write(path, b"before")
    with small_files(1000), pytest.raises(RunError) as raised:
        write(path, b"after" * 1000)
    assert str(raised.value) == f"{path}: file too large; make room or choose another folder, saved files are intact"
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["state"]


def test_what_did_not_reach_the_disk_does_not_take_the_place(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "state"
    write(path, b"before")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError, match="state: no space left on device; make room"):
        write(path, b"after")
    assert path.read_bytes() == b"before"


@pytest.mark.parametrize("folder", ["file", "file/below", "file/far/below"])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=f"{folder}: not a directory; make room or choose another folder"):
        admit_writing(tmp_path / folder)


def test_a_folder_that_can_be_made_is_not_made(tmp_path):
    admit_writing(tmp_path / "far" / "below")
    admit_writing(tmp_path)
    assert os.listdir(tmp_path) == []


def test_json_is_read_back(tmp_path):
    write_json(tmp_path / "a.json", {"accuracy": 0.5, "loss": None})
    assert read_json(tmp_path / "a.json") == {"accuracy": 0.5, "loss": None}


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1', b"\x80\x04\x95", b"[" * 10**5])
def test_json_that_is_damaged_holds_nothing(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") is None
    assert read_json(tmp_path / "missing.json") is None


def test_only_what_a_file_system_refuses_is_put_into_other_words(tmp_path):
    with pytest.raises(ValueError, match="mine"), translate_os_errors(tmp_path):
        raise ValueError("mine")
