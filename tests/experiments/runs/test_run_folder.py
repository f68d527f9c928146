import os

import pytest

from sparring.errors import RunError
from sparring.experiments.runs.manifest import write_manifest
from sparring.experiments.runs.run_folder import FILES, admit, clear, command_to_resume, is_vacant, lock_folder
from tests.experiments.small import small


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "läuft gerade" / "run"


@pytest.fixture
def used(folder):
    folder.mkdir(parents=True)
    write_manifest(folder, small())
    return folder


def test_a_folder_is_made_and_held_against_others(folder):
    with lock_folder(folder):
        assert is_vacant(folder)
        with pytest.raises(RunError, match="is in use by another process; wait for it"), lock_folder(folder):
            pytest.fail("two hold the same folder")
    with lock_folder(folder):
        assert folder.is_dir()


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(RunError, match="run: not a directory; make room or choose another folder"),
        lock_folder(tmp_path / "file/run"),
    ):
        pytest.fail("a file is no folder")


def test_a_new_folder_is_admitted_whatever_is_to_be_done(folder):
    for existing in ("refuse", "resume", "overwrite"):
        admit(folder, existing)
    folder.mkdir(parents=True)
    (folder / "manifest.json.partial").write_text("{")
    (folder / ".lock").write_text("")
    admit(folder, "refuse")


def test_a_run_is_refused_unless_it_is_to_be_resumed_or_overwritten(used):
    with pytest.raises(RunError, match="holds a run; resume it with --resume, or replace it with --overwrite"):
        admit(used, "refuse")
    admit(used, "resume")
    admit(used, "overwrite")


@pytest.mark.parametrize("existing", ["refuse", "resume", "overwrite"])
def test_what_is_no_run_is_never_touched(tmp_path, existing):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="exists and is not a run folder; choose another one"):
        admit(tmp_path, existing)


def test_only_the_files_of_a_run_are_removed(used):
    for name in FILES:
        (used / name).write_text("ours")
    (used / "notes.txt").write_text("mine")
    (used / "checkpoint.safetensors.partial").write_text("ours")
    clear(used)
    assert os.listdir(used) == ["notes.txt"]


def test_the_manifest_is_removed_last(used, monkeypatch):
    def fail(path, **_):
        raise PermissionError(13, "Permission denied")

    (used / "result.json").write_text("{}")
    monkeypatch.setattr("pathlib.Path.unlink", fail)
    with pytest.raises(RunError, match="permission denied"):
        clear(used)
    assert sorted(os.listdir(used)) == ["manifest.json", "result.json"]


def test_the_command_to_resume_can_be_pasted(tmp_path):
    assert command_to_resume(tmp_path / "a b") == f"sparring resume '{tmp_path}/a b'"
