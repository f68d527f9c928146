import json
import os

import pytest

from sparring.errors import RunError, SavingError
from sparring.experiments.jobs.atomic_files import write_json
from sparring.experiments.jobs.job import stop_file
from sparring.experiments.sweeps import Failure, plan_sweep, read_sweep, run_folder
from sparring.experiments.sweeps.sweep_folder import (
    forget_failure,
    read_failure,
    read_result,
    sweep_lock,
    write_failure,
    write_sweep,
)
from tests.experiments.sweeps.grids import IPM, NO_ATTACK, grid

RUN = "0123456789abcdef"
FAILURE = Failure({"attack": "ipm"}, RUN, "out of memory", None)


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a sweep."""
    place = tmp_path / "große Läufe"
    with sweep_lock(place):
        write_sweep(place, plan(), plugins={"my_rules": "1.0"})
    return place


def plan():
    return plan_sweep(grid(attack=[NO_ATTACK, IPM]), preset={"id": "fig3", "scale": "smoke"})


def test_a_sweep_is_read_back(folder):
    sweep, cells = read_sweep(str(folder)), plan().cells
    assert sweep.folder == folder
    assert sweep.document == plan().document
    assert sweep.axes == {"attack": ("none", "ipm (malicious=2)")}
    assert [(cell.labels, cell.digest) for cell in sweep.cells] == [(cell.labels, cell.digest) for cell in cells]
    assert (sweep.plugins, sweep.preset, sweep.failures) == ({"my_rules": "1.0"}, plan().preset, ())


def test_what_a_sweep_says_of_itself_holds_no_place(folder):
    assert str(folder) not in (folder / "sweep.json").read_text()
    assert os.listdir(folder.parent) == [folder.name]


def test_a_failure_is_known_until_the_run_is_complete(folder):
    write_failure(folder, FAILURE)
    assert read_failure(folder, RUN) == FAILURE
    run_folder(folder, RUN).mkdir(parents=True)
    write_json(run_folder(folder, RUN) / "result.json", {"digest": RUN})
    assert read_failure(folder, RUN) is None
    forget_failure(folder, RUN)
    forget_failure(folder, RUN)
    assert os.listdir(folder / "failures") == []


def test_the_failures_of_a_sweep_are_told(folder):
    cell = plan().cells[1]
    failure = Failure(cell.labels, cell.digest, "out of memory", "Traceback")
    write_failure(folder, failure)
    write_failure(folder, FAILURE)
    assert read_sweep(folder).failures == (failure,)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"digest": "another"})])
def test_a_damaged_result_or_failure_is_none(folder, content):
    for path in (run_folder(folder, RUN) / "result.json", folder / "failures" / f"{RUN[:12]}.json"):
        path.parent.mkdir(parents=True)
        path.write_text(content)
    assert read_result(folder, RUN) is None
    assert read_failure(folder, RUN) is None


def test_what_is_there_while_a_sweep_is_played_is_cleared_away(folder):
    (folder / ".data").mkdir()
    stop_file(folder).touch()
    with sweep_lock(folder):
        assert not stop_file(folder).exists()
        assert not (folder / ".data").exists()
        (folder / ".data").mkdir()
        stop_file(folder).touch()
    assert sorted(os.listdir(folder)) == [".lock", "sweep.json"]


@pytest.mark.parametrize("cell", [3, {}, {"labels": {}, "digest": "../../elsewhere"}, {"labels": 1, "digest": RUN}])
def test_cells_that_lead_elsewhere_are_none_of_a_sweep(folder, cell):
    content = json.loads((folder / "sweep.json").read_text())
    (folder / "sweep.json").write_text(json.dumps({**content, "cells": [cell]}))
    with pytest.raises(RunError, match="is not a sweep folder"):
        read_sweep(folder)


def test_two_sweeps_do_not_share_a_folder(folder):
    with (
        sweep_lock(folder),
        pytest.raises(RunError, match="is in use by another process; wait for it"),
        sweep_lock(folder),
    ):
        pytest.fail("two play in the same folder")


@pytest.mark.parametrize("name", ["thesis.tex", "manifest.json"])
def test_what_is_no_sweep_is_never_touched(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(RunError, match="exists and is not a sweep folder; choose another one"), sweep_lock(tmp_path):
        pytest.fail("a folder of something else")
    assert os.listdir(tmp_path) == [name]


def test_a_sweep_that_never_began_is_none_and_can_begin(tmp_path):
    with sweep_lock(tmp_path / "new"):
        pass
    with pytest.raises(RunError, match="new is not a sweep folder; give one that `sparring sweep` created"):
        read_sweep(tmp_path / "new")
    with sweep_lock(tmp_path / "new"):
        pass


def test_a_sweep_may_begin_where_policies_were_trained_for_it(tmp_path):
    policy = tmp_path / "policies" / "mean-0.safetensors"
    policy.parent.mkdir()
    policy.write_text("a policy")
    with sweep_lock(tmp_path):
        pass
    assert policy.read_text() == "a policy"


def test_a_folder_that_is_read_only_is_told_of(folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sparring.experiments.runs.run_folder.FileLock.acquire", refuse)
    with pytest.raises(SavingError, match="permission denied; make room or choose another folder"), sweep_lock(folder):
        pytest.fail("a folder that cannot be written")
