import signal
import time

import pytest
import torch

from sparring.arrays import Packed
from sparring.cli.following_audit import Watcher, repeated
from sparring.experiments.snapshots import save_snapshot


def test_steps_of_all_policies_are_shown(tmp_path, capsys):
    folders = [tmp_path / "1", tmp_path / "2"]
    with Watcher().training(folders, 10):
        for folder, steps in zip(folders, (4, 12), strict=True):
            save_snapshot(folder, Packed({"x": torch.zeros(1)}, {}), place=steps)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "step 14/20: steps of each policy: 4, 10"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_training_to_stop(tmp_path, number):
    with Watcher().training([tmp_path / "1"], 10):
        signal.raise_signal(number)
        assert (tmp_path / ".stop").exists()


def test_what_is_seen_is_handed_on(monkeypatch):
    monkeypatch.setattr("sparring.cli.following_audit.GLANCE", 0.001)
    seen = []
    with repeated(lambda before: seen.append(before) or [len(seen)]):
        deadline = time.monotonic() + 10
        while len(seen) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert seen == [[], *([place] for place in range(1, len(seen)))]
    assert len(seen) >= 4


def test_a_stage_is_told_of(capsys):
    Watcher().begin("measuring")
    assert capsys.readouterr().err == "sparring: measuring\n"
