import signal

import torch

from sparring.cli.progress import ConsoleFollower
from sparring.experiments.audit.training import steps_made
from sparring.experiments.jobs.snapshots import save_snapshot
from sparring.snapshot import Snapshot


def test_steps_of_all_policies_are_shown_up_to_those_that_are_wanted(tmp_path, capsys):
    folders = [tmp_path / "1", tmp_path / "2"]
    with ConsoleFollower().training(tmp_path, lambda: [min(10, steps_made(each)) for each in folders], total=20):
        for folder, steps in zip(folders, (4, 12), strict=True):
            save_snapshot(folder, Snapshot({"x": torch.zeros(1)}, {}), progress=steps)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "step 14/20: steps of each policy: 4, 10"


def test_a_signal_asks_all_of_them_to_stop(tmp_path):
    with ConsoleFollower().training(tmp_path, lambda: [0, 0], total=20):
        signal.raise_signal(signal.SIGTERM)
        assert (tmp_path / ".stop").exists()


def test_a_stage_is_told_of(capsys):
    ConsoleFollower().begin("measuring")
    assert capsys.readouterr().err == "sparring: measuring\n"
