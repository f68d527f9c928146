from contextlib import contextmanager
from pathlib import Path

import pytest

from sparring.errors import Interrupted, RunError, SavingError
from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.train_policy import save_policy, train_policies
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.policies import load_policy, saved_policy
from tests.attacks.learned.policies import trained


def taught(folder, *answers, **options):
    """Have a lesson taken for each answer, and return those that were taken."""
    taken = []

    def take(answer):
        taken.append(answer)
        return Stopped() if stop_file(folder).exists() else answer

    lessons = {f"policy {place}": answer for place, answer in enumerate(answers)}
    train_policies(InlineWorkers(), take, jobs=lessons, folder=folder, **options)
    return taken


def test_all_lessons_are_taken(tmp_path):
    assert taught(tmp_path, Path("a"), Path("b")) == [Path("a"), Path("b")]


def test_the_folder_of_the_policies_is_made(tmp_path):
    taught(tmp_path / "deeply" / "in", Path("a"))
    assert (tmp_path / "deeply" / "in").is_dir()


def test_lessons_that_were_stopped_before_are_gone_on_with(tmp_path):
    stop_file(tmp_path).touch()
    assert taught(tmp_path, Path("a")) == [Path("a")]
    assert not stop_file(tmp_path).exists()


def test_a_stop_that_is_asked_for_by_who_follows_is_heeded_from_the_beginning(tmp_path):
    @contextmanager
    def impatient():
        stop_file(tmp_path / "policies").touch()
        yield

    with pytest.raises(Interrupted, match="^stopped while training; the same command resumes it$"):
        taught(tmp_path / "policies", Path("a"), following=impatient())


def test_a_lesson_that_is_stopped_stops_all_of_them_when_they_have_answered(tmp_path):
    taken, lessons = [], {"a": Stopped(), "b": Path("b")}
    with pytest.raises(Interrupted, match="^stopped while training; the same command resumes it$"):
        train_policies(InlineWorkers(), lambda answer: taken.append(answer) or answer, jobs=lessons, folder=tmp_path)
    assert taken == [Stopped(), Path("b")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Failed("no room"), RunError),
        (Failed("no room", is_unsaved=True), SavingError),
        (RunError("no room"), RunError),
    ],
)
def test_a_lesson_that_fails_is_named_and_ends_the_others(tmp_path, answer, kind):
    with pytest.raises(kind, match="^policy 1 failed: no room$"):
        taught(tmp_path, Path("a"), answer, Path("b"))


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SavingError, match="choose another folder"):
        taught(tmp_path / "file", Path("a"))


def test_a_policy_is_saved_as_a_whole(tmp_path):
    save_policy(tmp_path / "policy.safetensors", trained(0.5, inputs=3))
    saved_policy.save_policy(tmp_path / "straight", trained(0.5, inputs=3))
    assert (tmp_path / "policy.safetensors").read_bytes() == (tmp_path / "straight").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"policy.safetensors", "straight"}


def test_a_policy_that_cannot_be_saved_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "policy.safetensors"
    save_policy(path, trained(0.5, inputs=3))
    before = path.read_bytes()

    def half(place, attack):
        place.write_bytes(before[:9])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sparring.policies.saved_policy.save_policy", half)
    with pytest.raises(SavingError, match="no space left on device"):
        save_policy(path, trained(-0.5, inputs=3))
    assert path.read_bytes() == before
    assert load_policy(path, "attack").versions
