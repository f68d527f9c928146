from itertools import count

import pytest

from sparring.attacks import LearnedAttack
from sparring.errors import Interrupted
from sparring.experiments.audit.training import (
    ACTION_SPACES,
    WIDE,
    TrainingJob,
    TrainingTask,
    is_trained,
    returns_of,
    seconds_per_step,
    steps_made,
    train_attack,
    train_in_worker,
)
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.jobs.job import Failed, Stopped
from sparring.experiments.jobs.snapshots import latest_progress, save_snapshot
from sparring.experiments.runs.checkpoint import SELDOM, CheckpointInterval, SavePace
from sparring.policies import load_policy
from tests.experiments.audit.asking import asked

BENIGN = {"name": "none"}
LESSON = TrainingTask(ACTION_SPACES[1], rounds=4, steps=20, seed=3)
SEARCHED = TrainingTask(WIDE, rounds=4, steps=300, seed=3, method="search")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A snapshot can be due every few steps."""
    monkeypatch.setattr("sparring.learning.sb3.training.CHUNK", 5)


def course(folder, *settings):
    return TrainingJob(folder / "1", asked(*settings).run(BENIGN, 3), LESSON, (), folder / "data")


def trained(folder, task=LESSON, **options):
    config = asked().run(BENIGN, 3)
    return train_attack(build_scenario(config, load_dataset(config)), task, folder=folder, **options)


def test_a_policy_is_trained_that_can_be_played(tmp_path):
    policy = trained(tmp_path)
    assert LearnedAttack(str(policy)).trained.versions
    assert LearnedAttack(str(policy)).acting == LESSON.acting
    assert steps_made(tmp_path) >= 20
    assert len(returns_of(tmp_path)) >= 20 // 4
    assert latest_progress(tmp_path) == 0, "snapshots lead nowhere any more"


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_training_that_is_stopped_goes_on_to_the_same_bytes(tmp_path, chunks):
    asked_to_stop = iter([False] * (chunks - 1) + [True])
    with pytest.raises(Interrupted):
        trained(tmp_path / "stopped", wants_stop=lambda: next(asked_to_stop))
    assert 0 < steps_made(tmp_path / "stopped") < 20
    again = trained(tmp_path / "stopped")
    straight = trained(tmp_path / "straight")
    assert again.read_bytes() == straight.read_bytes()
    assert returns_of(again.parent) == returns_of(straight.parent)


def test_a_search_trains_a_table_over_the_number_of_malicious_clients(tmp_path):
    policy = load_policy(trained(tmp_path, task=SEARCHED), "attack")
    assert LearnedAttack(str(tmp_path / "policy.safetensors")).acting == WIDE
    assert policy.versions[0].policy.encoder is not None
    assert LearnedAttack(str(tmp_path / "policy.safetensors")).trained.versions
    assert steps_made(tmp_path) >= SEARCHED.steps
    assert len(returns_of(tmp_path)) > 1


def test_a_search_that_is_stopped_resumes_to_the_same_bytes(tmp_path):
    asked_to_stop = iter([False, True])
    with pytest.raises(Interrupted):
        trained(tmp_path / "stopped", task=SEARCHED, wants_stop=lambda: next(asked_to_stop))
    assert 0 < steps_made(tmp_path / "stopped") < SEARCHED.steps
    again = trained(tmp_path / "stopped", task=SEARCHED)
    straight = trained(tmp_path / "straight", task=SEARCHED)
    assert again.read_bytes() == straight.read_bytes()
    assert returns_of(again.parent) == returns_of(straight.parent)


def saving(monkeypatch):
    """Return the places of all snapshots that are saved from now on."""
    places = []

    def counted(folder, packed, *, progress):
        places.append(progress)
        return save_snapshot(folder, packed, progress=progress)

    monkeypatch.setattr("sparring.experiments.audit.training.save_snapshot", counted)
    return places


def test_snapshots_are_saved_by_time_and_not_by_steps(tmp_path, monkeypatch):
    places = saving(monkeypatch)
    trained(tmp_path / "seldom", pace=SavePace(clock=lambda: 0.0))
    assert places == []
    trained(tmp_path / "often", pace=SavePace(CheckpointInterval(0, 1), clock=lambda: 0.0))
    assert places == [5, 10, 15]


def test_a_training_whose_saving_takes_long_saves_more_seldom(tmp_path, monkeypatch):
    places, ticks = saving(monkeypatch), count()
    trained(tmp_path, pace=SavePace(CheckpointInterval(seconds=1, share=0.5), clock=lambda: next(ticks)))
    assert places == [5, 15], "saving took a second, of which two must pass before the next"


def test_a_training_that_was_killed_goes_on_from_a_snapshot_to_the_same_bytes(tmp_path, monkeypatch):
    def killed():
        raise KeyboardInterrupt

    often = SavePace(CheckpointInterval(0, 1), clock=lambda: 0.0)
    monkeypatch.setattr("sparring.experiments.audit.training.save_policy", lambda *_: killed())
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", pace=often)
    assert latest_progress(tmp_path / "killed") == 15
    monkeypatch.undo()
    assert trained(tmp_path / "killed").read_bytes() == trained(tmp_path / "straight").read_bytes()


def test_the_time_of_a_step_includes_saving(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.training._time_step", lambda arena: 1.0)
    config = asked().run(BENIGN, 3)
    assert seconds_per_step(build_scenario(config, load_dataset(config)), rounds=4) == 1 + SELDOM.share


def test_a_course_leaves_a_policy(tmp_path):
    assert not is_trained(course(tmp_path))
    assert train_in_worker(course(tmp_path)) == tmp_path / "1" / "policy.safetensors"
    assert is_trained(course(tmp_path))


def test_a_course_is_not_begun_when_a_stop_is_asked_for(tmp_path):
    (tmp_path / ".stop").touch()
    assert train_in_worker(course(tmp_path)) == Stopped()
    assert not (tmp_path / "1").exists()


def test_what_goes_wrong_in_a_course_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.defenses.Median.aggregate", lambda self, view, memory: 1 // 0)
    answer = train_in_worker(course(tmp_path))
    assert isinstance(answer, Failed)
    assert answer.error.startswith("defense Median raised ZeroDivisionError")
