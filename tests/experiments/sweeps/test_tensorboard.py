import pytest

from sparring.cli.main import main
from sparring.errors import Interrupted, RunError
from sparring.experiments import Observer, resume, run
from sparring.experiments.runs.journal import read_records
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.experiments.sweeps.tensorboard import track_run, write_events
from sparring.federation import RoundRecord
from tests.cli.test_main import refusal
from tests.experiments.small import SETTINGS, small
from tests.experiments.sweeps.grids import IPM, NO_ATTACK, grid
from tests.integrations.board import shown
from tests.integrations.extras import needs

pytestmark = needs("tensorboard")


def files(board):
    """Return what a board holds, by the place of each run."""
    return {str(path.parent.relative_to(board)): path.read_bytes() for path in board.rglob("*tfevents*")}


def play(folder, board, observer=None):
    with track_run(observer or Observer(), folder, board=board) as both:
        run(small(), folder, observer=both)


def test_a_run_is_shown_while_it_is_played(tmp_path):
    seen = []

    def look(record):
        seen.append(record)
        assert record.round == 0 or max(shown(tmp_path / "board/run")["norms/step"]) == record.round

    with track_run(Observer(record=look), tmp_path / "run", board=tmp_path / "board") as observer:
        run(small(), tmp_path / "run", observer=observer)
    records = list(read_records(tmp_path / "run/rounds.jsonl", RoundRecord))
    assert seen == records
    accuracy = {record.round: record.accuracy for record in records if record.accuracy is not None}
    assert shown(tmp_path / "board/run")["accuracy"] == pytest.approx(accuracy)


def test_a_run_that_was_resumed_is_shown_as_one_that_was_not_stopped(tmp_path):
    play(tmp_path / "straight/run", tmp_path / "straight/board")
    rounds = []
    stopping = Observer(record=rounds.append, wants_stop=lambda: len(rounds) == 5)
    with pytest.raises(Interrupted):
        play(tmp_path / "run", tmp_path / "board", stopping)
    assert files(tmp_path / "board") != files(tmp_path / "straight/board")
    with track_run(Observer(), tmp_path / "run", board=tmp_path / "board") as observer:
        resume(tmp_path / "run", observer=observer)
    assert files(tmp_path / "board") == files(tmp_path / "straight/board")


def test_a_run_that_is_complete_is_shown_when_it_is_asked_for_again(tmp_path):
    play(tmp_path / "run", tmp_path / "board")
    assert main(["resume", str(tmp_path / "run"), "--tensorboard", str(tmp_path / "other")]) == 0
    assert write_events(tmp_path / "run", tmp_path / "third") == 1
    assert files(tmp_path / "other") == files(tmp_path / "third") == files(tmp_path / "board") != {}


def test_the_runs_of_a_sweep_are_shown_by_their_labels(tmp_path):
    sweep(
        plan_sweep(grid(attack={"none": {"attack": NO_ATTACK}, "ipm/2": {"attack": IPM}}, seed=[0])), tmp_path / "sweep"
    )
    assert write_events(tmp_path / "sweep", tmp_path / "board") == 2
    assert main(["report", str(tmp_path / "sweep"), "--tensorboard", str(tmp_path / "other")]) == 0
    assert files(tmp_path / "other") == files(tmp_path / "board")
    places = ["sweep/attack=ipm_2/seed=0", "sweep/attack=none/seed=0"]
    assert sorted(files(tmp_path / "board")) == places
    assert [shown(tmp_path / "board" / place)["clients/malicious"][1] > 0 for place in places] == [True, False]


def test_what_is_neither_a_run_nor_a_sweep_is_not_shown(tmp_path):
    with pytest.raises(RunError, match="holds neither a run nor a sweep; give a folder that Sparring created"):
        write_events(tmp_path, tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_the_command_line_lets_tensorboard_follow_a_run(tmp_path):
    play(tmp_path / "run", tmp_path / "board")
    words = ["run", *SETTINGS, "--out", str(tmp_path / "other/run"), "--tensorboard", str(tmp_path / "other/board")]
    assert main(words) == 0
    assert files(tmp_path / "other/board") == files(tmp_path / "board")


def test_a_board_that_cannot_be_written_stops_the_run_in_one_line(tmp_path, capsys):
    words = ["run", *SETTINGS, "--out", str(tmp_path / "run"), "--tensorboard", "/proc/board"]
    assert main(words) == 1
    assert refusal(capsys).startswith("/proc/board/run: no such file or directory; make room or choose another folder")
