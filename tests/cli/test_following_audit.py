import signal

import torch

from sparring.cli.following_audit import Watcher
from sparring.experiments.jobs.snapshots import save_snapshot
from sparring.snapshot import Snapshot


def test_steps_of_all_policies_are_shown_up_to_those_that_are_wanted(tmp_path, capsys):
    folders = [tmp_path / "1", tmp_path / "2"]
    with Watcher().training(folders, 10):
        for folder, steps in zip(folders, (4, 12), strict=True):
            save_snapshot(folder, Snapshot({"x": torch.zeros(1)}, {}), place=steps)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "step 14/20: steps of each policy: 4, 10"


def test_a_signal_asks_all_of_them_to_stop(tmp_path):
    with Watcher().training([tmp_path / "1", tmp_path / "2"], 10):
        signal.raise_signal(signal.SIGTERM)
        assert (tmp_path / ".stop").exists()


def test_a_stage_is_told_of(capsys):
    Watcher().begin("measuring")
    assert capsys.readouterr().err == "sparring: measuring\n"
