import pytest

from sparring.experiments import run
from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.runs.manifest import read_manifest
from sparring.experiments.sweeps import Completed, run_folder
from sparring.experiments.sweeps.task import RunTask, run_task
from tests.experiments.jobs.test_atomic_files import small_files
from tests.experiments.plugging import MODULE, write_plugin
from tests.experiments.small import lasting, small


def task(folder, *settings, plugins=()):
    return RunTask(folder, small(*settings), plugins, folder / ".data")


def place(folder):
    """Return where the small run is played."""
    return run_folder(folder, run(small(), folder.parent / "straight", existing="resume").result["digest"])


def test_a_run_is_played_in_its_own_folder(tmp_path):
    folder = tmp_path / "sweep"
    ending = run_task(task(folder))
    assert isinstance(ending, Completed)
    assert ending.notices == ()
    assert lasting(place(folder)) == lasting(tmp_path / "straight")
    assert ending.result == run(small(), tmp_path / "straight", existing="resume").result


def test_a_run_that_is_to_stop_is_gone_on_with(tmp_path):
    folder, began = tmp_path / "sweep", []
    stop_at_once = lambda: began.append(1) or len(began) > 3  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pathlib.Path.exists", exists_after(stop_file(folder), stop_at_once))
        assert run_task(task(folder)) == Stopped()
    assert 1 <= (place(folder) / "rounds.jsonl").read_bytes().count(b"\n") < 9
    assert isinstance(run_task(task(folder)), Completed)
    assert lasting(place(folder)) == lasting(tmp_path / "straight")


def exists_after(path, answer):
    """Return `Path.exists`, but for one path."""
    exists = type(path).exists
    return lambda self: answer() if self == path else exists(self)


def test_nothing_begins_after_the_sweep_was_asked_to_stop(tmp_path):
    stop_file(tmp_path).touch()
    assert run_task(task(tmp_path)) == Stopped()
    assert not (tmp_path / "runs").exists()


def test_what_goes_wrong_is_told_with_its_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.data.Synthetic.load", lambda _: {}["examples"])
    ending = run_task(task(tmp_path))
    assert isinstance(ending, Failed)
    assert ending.error == "KeyError: 'examples'"
    assert ending.traceback.startswith("Traceback")
    assert ending.traceback.endswith("KeyError: 'examples'\n")
    assert not ending.is_unsaved


def test_a_full_disk_is_no_fault_of_the_run(tmp_path):
    with small_files(12_000):
        ending = run_task(task(tmp_path, "federation.rounds=100"))
    assert isinstance(ending, Failed)
    assert "rounds.jsonl: file too large; make room" in ending.error
    assert ending.is_unsaved


def test_another_run_in_the_place_of_this_one_is_left_alone(tmp_path):
    folder = tmp_path / "sweep"
    run(small("seed=1"), place(folder))
    ending = run_task(task(folder))
    assert isinstance(ending, Failed)
    assert ending.error == f"{place(folder)} holds another run; remove it, or choose another folder"
    assert read_manifest(place(folder)).config.seed == 1


def test_plug_ins_are_loaded_where_the_run_is_played(tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch)
    ending = run_task(task(tmp_path / "sweep", plugins=(MODULE,)))
    assert isinstance(ending, Completed)
    missing = run_task(task(tmp_path / "other", plugins=("nowhere",)))
    assert isinstance(missing, Failed)
    assert missing.error.startswith("there is no module 'nowhere'")
