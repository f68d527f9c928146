import json
import os
from dataclasses import dataclass
from typing import Any

import pytest

from sparring.errors import Interrupted, RunError, SavingError
from sparring.experiments.jobs.job import stop_file
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.sweeps import Completed, SweepObserver, plan_sweep, read_sweep, sweep
from sparring.experiments.sweeps.sweep_folder import read_result
from tests.experiments.jobs.test_atomic_files import small_files
from tests.experiments.sweeps.grids import IPM, LMP, NO_ATTACK, complete, grid, left, selecting

TWO = grid(attack=[NO_ATTACK, IPM])
THREE = grid(attack=[NO_ATTACK, IPM, LMP])


class Spy:
    """An observer's notes."""

    def __init__(self):
        self.expected, self.ended, self.notices = [], [], []

    @property
    def observer(self):
        ended = lambda cell, ending: self.ended.append((dict(cell.labels), ending))  # noqa: E731
        return SweepObserver(expect=self.expected.append, ended=ended, notice=self.notices.append)


@dataclass(frozen=True)
class Unlucky:
    """Workers that lose the call at one place."""

    place: int
    size: int = 1

    def calls(self, function: Any, arguments: Any) -> Any:
        for place, argument in enumerate(arguments):
            lost = RunError("the process was killed by SIGKILL")
            yield place, lost if place == self.place else function(argument)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "große Läufe"


@pytest.fixture
def broken(monkeypatch):
    """Let a rule that can be chosen fail."""
    aggregate = "sparring.defenses.aggregation.median.Median.aggregate"
    with monkeypatch.context() as patch:
        patch.setattr(aggregate, lambda self, view, memory: 1 // 0)
        yield patch


def test_a_sweep_is_its_runs_and_what_it_says_of_itself(folder):
    spy, plan = Spy(), plan_sweep(TWO)
    stands = sweep(plan, folder, observer=spy.observer)
    assert stands == (2, 2, (), ())
    assert spy.expected == [2]
    assert [labels for labels, _ in spy.ended] == [cell.labels for cell in plan.cells]
    assert all(isinstance(ending, Completed) for _, ending in spy.ended)
    assert sorted(os.listdir(folder)) == [".lock", "runs", "sweep.json"]
    assert sorted(os.listdir(folder / "runs")) == sorted(cell.digest[:12] for cell in plan.cells)


def test_what_is_complete_is_not_played_again(folder):
    sweep(plan_sweep(TWO), folder)
    before, spy = left(folder), Spy()
    assert sweep(plan_sweep(TWO), folder, observer=spy.observer).complete == 2
    assert spy.expected == [0]
    assert left(folder) == before


def test_an_extended_sweep_plays_what_is_missing(folder, tmp_path):
    sweep(plan_sweep(TWO), folder)
    spy = Spy()
    sweep(plan_sweep(THREE), folder, observer=spy.observer)
    assert [labels for labels, _ in spy.ended] == [{"attack": "lmp (malicious=2)"}]
    assert spy.notices == []
    sweep(plan_sweep(THREE), tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")


def test_runs_that_are_no_part_any_more_are_kept(folder):
    sweep(plan_sweep(THREE), folder)
    spy = Spy()
    sweep(plan_sweep(TWO), folder, observer=spy.observer)
    assert spy.notices == [f"1 runs in {folder} are no longer part of the sweep; they are kept"]
    assert complete(folder) == 3
    assert len(read_sweep(folder).cells) == 2


def test_equal_runs_are_played_once(folder):
    spy = Spy()
    document = grid(attack={"none": {"attack": NO_ATTACK}, "nobody": {"attack.malicious": 0}})
    assert sweep(plan_sweep(document), folder, observer=spy.observer).runs == 1
    assert spy.expected == [1]
    assert len(read_sweep(folder).cells) == 2


def test_a_run_that_fails_is_recorded_and_the_others_go_on(folder, broken):
    document = grid(defense=[{"name": "median"}, {"name": "mean"}])
    stands = sweep(plan_sweep(document), folder)
    assert (stands.runs, stands.complete) == (2, 1)
    (failure,) = stands.failures
    assert failure.labels == {"defense": "median"}
    assert failure.error.startswith("defense Median raised ZeroDivisionError")
    assert "Traceback" in failure.traceback
    assert read_sweep(folder).failures == stands.failures


def test_a_failure_is_played_again_only_on_request(folder, broken):
    plan, spy = plan_sweep(grid(defense=[{"name": "median"}, {"name": "mean"}])), Spy()
    failed = sweep(plan, folder).failures
    broken.undo()
    assert sweep(plan, folder, observer=spy.observer).failures == failed
    assert sweep(plan, folder, observer=spy.observer, retry_failed=True).failures == ()
    assert spy.expected == [0, 1]
    assert os.listdir(folder / "failures") == []


def test_a_worker_that_is_lost_is_a_failure_of_its_run(folder, tmp_path):
    plan = plan_sweep(THREE)
    (failure,) = sweep(plan, folder, workers=Unlucky(1)).failures
    assert failure == (plan.cells[1].labels, plan.cells[1].digest, "the process was killed by SIGKILL", None)
    assert complete(folder) == 2
    assert sweep(plan, folder, retry_failed=True).failures == ()
    sweep(plan, tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")


def test_a_sweep_that_is_to_stop_is_gone_on_with(folder, tmp_path):
    stop = SweepObserver(ended=lambda cell, ending: stop_file(folder).touch())
    with pytest.raises(Interrupted, match="stopped with 2 runs left; the same command resumes the sweep"):
        sweep(plan_sweep(THREE), folder, observer=stop)
    assert complete(folder) == 1
    assert not stop_file(folder).exists()
    assert sweep(plan_sweep(THREE), folder).complete == 3
    sweep(plan_sweep(THREE), tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")


def test_a_full_disk_stops_the_sweep_and_nothing_is_lost(folder, tmp_path):
    plan = plan_sweep(grid("federation.rounds=100", attack=[NO_ATTACK, IPM]))
    with small_files(12_000), pytest.raises(SavingError, match="rounds.jsonl: file too large; make room"):
        sweep(plan, folder)
    assert not (folder / "failures").exists()
    assert sweep(plan, folder).complete == 2
    sweep(plan, tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")


def test_a_failure_that_cannot_be_recorded_is_told_of(folder, broken, monkeypatch):
    def refuse(*_, **__):
        raise SavingError("failures: no space left on device")

    monkeypatch.setattr("sparring.experiments.sweeps.sweep_folder.write_json", refuse)
    with pytest.raises(SavingError, match="no space left on device"):
        sweep(plan_sweep(grid(defense=[{"name": "median"}])), folder)


def test_what_is_chosen_is_recorded_and_played(folder):
    spy = Spy()
    stands = sweep(plan_sweep(selecting()), folder, observer=spy.observer)
    assert spy.expected == [8, 12]
    (choice,) = stands.choices
    recorded = json.loads((folder / "selection.json").read_text())
    assert [each["chosen"] for each in recorded["choices"]] == [choice.chosen]
    assert {trial["settings"]["defense.max_norm"] for trial in recorded["choices"][0]["trials"]} == {0.1, 2.0}
    documents = [json.loads(path.read_text()) for path in folder.glob("runs/*/manifest.json")]
    tested = [each["config"]["defense"] for each in documents if each["config"]["evaluation"]["on"] == "test"]
    assert {each.get("max_norm") for each in tested} == {None, choice.chosen["defense.max_norm"]}
    assert len(read_sweep(folder).cells) == 12
    assert (stands.runs, stands.complete) == (20, 20)


def test_the_worst_accuracy_is_that_of_the_runs(folder):
    plan = plan_sweep(selecting(seeds=[0]))
    (choice,) = sweep(plan, folder).choices
    accuracies = {
        (cell.labels["select.try"], cell.labels["attack"]): read_result(folder, cell.digest)["accuracy"]
        for cell in plan.candidates
    }
    worst = {
        norm: min(accuracies[f"defense.max_norm={norm}", attack] for attack in plan.axes["attack"][1:])
        for norm in (0.1, 2.0)
    }
    assert choice.worst == max(worst.values()) == worst[choice.chosen["defense.max_norm"]]


def test_a_selection_that_is_stopped_comes_to_the_same_choice(folder, tmp_path):
    spy = Spy()
    stop = SweepObserver(ended=lambda cell, ending: stop_file(folder).touch())
    with pytest.raises(Interrupted, match="stopped with 7 runs left"):
        sweep(plan_sweep(selecting()), folder, observer=stop)
    sweep(plan_sweep(selecting()), folder, observer=spy.observer)
    assert spy.expected == [7, 12]
    sweep(plan_sweep(selecting()), tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")


def test_where_a_candidate_fails_nothing_is_chosen_and_the_others_are_played(folder, tmp_path):
    spy = Spy()
    stands = sweep(plan_sweep(selecting()), folder, workers=Unlucky(0), observer=spy.observer)
    assert spy.notices == ["6 cells are missing, because a run for tuning them failed"]
    assert stands.choices == ()
    assert len(stands.failures) == 2
    assert {cell.labels["defense"] for cell in read_sweep(folder).cells} == {"mean"}
    assert sweep(plan_sweep(selecting()), folder, retry_failed=True, workers=InlineWorkers()).failures == ()
    sweep(plan_sweep(selecting()), tmp_path / "straight")
    assert left(folder) == left(tmp_path / "straight")
