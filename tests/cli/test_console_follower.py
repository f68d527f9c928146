import io
import signal

import pytest
import torch
from rich.console import Console

from sparring.cli import stages
from sparring.cli.stages import ConsoleFollower, StageClock, format_left
from sparring.experiments.audit.training import steps_made
from sparring.experiments.jobs.snapshots import save_snapshot
from sparring.experiments.sweeps import Completed, plan_sweep
from sparring.snapshot import Snapshot
from tests.experiments.sweeps.grids import IPM, LMP, NO_ATTACK, grid


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


def ended(follower, folder, *, runs, missing):
    """Follow a sweep whose missing runs all end."""
    with follower.sweep(folder, 2, runs=runs) as observer:
        observer.expect(missing)
        for cell in plan_sweep(grid(attack=[NO_ATTACK, IPM, LMP])).cells[:missing]:
            observer.ended(cell, Completed({"accuracy": 0.25}, ()))


def test_stages_of_a_whole_are_shown_by_their_share_with_the_time_left(tmp_path, capsys):
    follower = ConsoleFollower()
    with follower.whole(400.0):
        follower.begin("training", 300.0)
        with follower.training(tmp_path, lambda: [5, 10], total=20):
            pass
        follower.begin("running", 100.0)
        ended(follower, tmp_path, runs=4, missing=2)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in told] == ["56%", "88%", "94%", "100%"]
    assert told[0].endswith(" min left: training; steps of each policy: 5, 10")
    assert told[1].endswith(": running; 2 running, 0 failed; starting")
    assert "ipm (malicious=2): accuracy 0.250" in told[3]


def test_stages_that_are_complete_already_say_nothing(tmp_path, capsys):
    follower = ConsoleFollower()
    with follower.whole(400.0):
        follower.begin("training", 200.0)
        follower.begin("running", 100.0)
        ended(follower, tmp_path, runs=3, missing=0)
        follower.begin("breaking", 100.0)
        ended(follower, tmp_path, runs=1, missing=1)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in told] == ["75%", "100%"]


def test_a_signal_stops_a_stage_of_a_whole_too(tmp_path):
    follower = ConsoleFollower()
    with follower.whole(10.0):
        follower.begin("training", 10.0)
        with follower.training(tmp_path, lambda: [0], total=20):
            signal.raise_signal(signal.SIGINT)
            assert (tmp_path / ".stop").exists()


def test_a_terminal_shows_one_bar_for_the_whole(tmp_path, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(
        stages, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=60, color_system=None)
    )
    follower = ConsoleFollower()
    with follower.whole(400.0):
        follower.begin("running all attacks", 400.0)
        ended(follower, tmp_path, runs=4, missing=2)
        follower._total.clock.reach(0.75)
    drawn = screen.getvalue()
    assert " 75%" in drawn
    assert "min left" in drawn
    assert "running all attacks; 0 running" in drawn
    assert "…" not in drawn


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_time_left_follows_the_pace_of_this_session():
    clock = Clock()
    whole = StageClock(1000.0, clock)
    assert (whole.share, whole.left) == (0.0, 1000.0)
    whole.begin(500.0)
    whole.reach(0.8)
    assert (whole.share, whole.left) == (0.4, 600.0), "an earlier session made that"
    clock.now = 200.0
    whole.reach(1.0)
    assert whole.left == pytest.approx(1.5 * 500), "200 seconds for 100, and the plan's own weight"
    clock.now = 250.0
    assert whole.left == pytest.approx(1.5 * 500 - 50), "it runs down between updates"
    whole.begin(500.0)
    whole.begin(0.0)
    assert (whole.share, whole.left) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5.0, "less than 1 min left"), (100.0, "about 2 min left"), (3 * 3600.0, "about 3.0 h left")],
)
def test_the_time_left_is_rounded(seconds, words):
    assert format_left(seconds) == words
