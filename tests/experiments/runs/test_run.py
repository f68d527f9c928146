import errno
import json
import os
import pickle  # noqa: TID251  (to see it refused)
import shutil
from pathlib import Path

import pytest
import torch

from sparring.errors import ConfigError, Interrupted, PluginError, RunError
from sparring.experiments import Observer, digest, resume, run
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.runs.journal import read_records
from sparring.experiments.runs.run_folder import lock_folder
from sparring.federation import RoundRecord, train
from sparring.registry import build
from tests.experiments.jobs.test_atomic_files import small_files
from tests.experiments.killing import ALWAYS, killed
from tests.experiments.small import lasting, small

ROUNDS = small().federation.rounds
LONG = "federation.rounds=400"
"""Enough to be killed before it ends."""


class Killed(BaseException):
    """Stands for a kill: nothing handles it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return what the small run leaves when nothing happens to it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run(small(), folder)
    return lasting(folder)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Return what a longer run leaves."""
    folder = tmp_path_factory.mktemp("long") / "run"
    run(small(LONG), folder)
    return lasting(folder)


def stopped(folder, round, **options):
    """Play the small run up to a round."""
    seen = []
    observer = Observer(record=seen.append, wants_stop=lambda: seen[-1].round == round)
    with pytest.raises(Interrupted, match=f"stopped after round {round}; resume with: sparring resume"):
        run(small(), folder, observer=observer, cadence=ALWAYS, **options)


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def test_a_run_leaves_its_files(tmp_path):
    outcome = run(small(), tmp_path / "größer als" / "run 1")
    names = {path.name for path in outcome.folder.iterdir()}
    assert names >= {"manifest.json", "rounds.jsonl", "result.json", "timing.json", "model.safetensors"}
    assert names >= {"checkpoint.safetensors", "checkpoint.json"}
    assert not [name for name in names if name.endswith(".partial")]
    assert (
        json.loads((outcome.folder / "timing.json").read_text())["rounds_per_second"] == outcome.rounds_per_second > 0
    )


def test_a_run_comes_to_what_training_comes_to(tmp_path):
    config = small()
    outcome = run(config, tmp_path / "run")
    trained = train(build_scenario(config, load_dataset(config)), ROUNDS, every=3)
    assert tuple(read_records(outcome.folder / "rounds.jsonl", RoundRecord)) == tuple(trained.records)
    assert outcome.result["accuracy"] == trained.accuracy
    assert outcome.result["average_accuracy"] == trained.average_accuracy
    assert outcome.result["loss"] == trained.records[-1].loss
    assert outcome.result["backdoor_accuracy"] is None
    assert outcome.result["rounds"] == ROUNDS
    assert outcome.result["digest"] == digest(config)


BACKDOORED = (
    *("data={name: digits, size: 28, root_size: 20}", "model={name: mlp, hidden: 8}", "attack="),
    "post_training={name: neuroclip, bound: 2}",
    "attacks=[{name: neurotoxin, malicious: 3, local_epochs: 0.1}, {name: dba, malicious: 2, local_steps: 2}]",
)


def test_a_run_with_a_backdoor_says_how_far_it_reaches(tmp_path):
    config = small(*BACKDOORED)
    outcome = run(config, tmp_path / "run")
    trained = train(build_scenario(config, load_dataset(config)), ROUNDS, every=3)
    assert tuple(read_records(outcome.folder / "rounds.jsonl", RoundRecord)) == tuple(trained.records)
    assert outcome.result.items() >= trained.backdoor_metrics.items()
    assert trained.backdoor_metrics.keys() == {
        "backdoor_accuracy",
        "backdoor_accuracy_with_target",
        "backdoor_accuracy_of_all",
        "average_backdoor_accuracy",
        "average_backdoor_accuracy_with_target",
        "average_backdoor_accuracy_of_all",
    }


def test_a_run_without_a_backdoor_does_not_speak_of_one(whole):
    assert b"backdoor" not in whole["rounds.jsonl"]
    assert [key for key in json.loads(whole["result.json"]) if "backdoor" in key] == ["backdoor_accuracy"]


def test_a_stopped_run_with_a_backdoor_goes_on_to_the_same_bytes(tmp_path):
    seen = []
    observer = Observer(record=seen.append, wants_stop=lambda: seen[-1].round == 4)
    with pytest.raises(Interrupted):
        run(small(*BACKDOORED), tmp_path / "stopped", observer=observer)
    resume(tmp_path / "stopped")
    run(small(*BACKDOORED), tmp_path / "straight")
    assert lasting(tmp_path / "stopped") == lasting(tmp_path / "straight")


def test_the_same_run_twice_leaves_the_same_bytes(tmp_path, whole):
    run(small(), tmp_path / "again")
    assert lasting(tmp_path / "again") == whole


def test_saving_more_often_leaves_the_same_bytes(tmp_path, whole):
    run(small(), tmp_path / "often", cadence=ALWAYS)
    assert lasting(tmp_path / "often") == whole


def test_records_and_result_hold_no_time_and_no_path(tmp_path, whole):
    text = (whole["rounds.jsonl"] + whole["result.json"]).decode()
    assert "second" not in text
    assert "/" not in text


def test_another_seed_leaves_other_bytes(tmp_path, whole):
    run(small("seed=1"), tmp_path / "other")
    assert lasting(tmp_path / "other")["rounds.jsonl"] != whole["rounds.jsonl"]


def test_the_number_of_threads_is_put_back(tmp_path):
    before = torch.get_num_threads()
    run(small(f"execution.threads={before + 1}"), tmp_path / "run")
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("round", range(ROUNDS))
def test_a_run_stopped_after_any_round_goes_on_to_the_same_bytes(tmp_path, whole, round):
    stopped(tmp_path / "run", round)
    assert not (tmp_path / "run/result.json").exists()
    outcome = resume(tmp_path / "run")
    assert lasting(tmp_path / "run") == whole
    assert outcome.result == json.loads(whole["result.json"])


@pytest.mark.parametrize(("rounds", "delay"), [(0, 0.0), (1, 0.002), (3, 0.0), (5, 0.001), (6, 0.004)])
def test_a_run_killed_at_a_random_moment_goes_on_to_the_same_bytes(tmp_path, long, rounds, delay):
    recorded = killed(tmp_path / "killed", LONG, rounds=rounds, delay=delay)
    assert rounds < recorded <= small(LONG).federation.rounds
    resume(tmp_path / "killed")
    assert lasting(tmp_path / "killed") == long


@pytest.mark.parametrize("operation", ["write_bytes", "replace", "unlink"])
def test_a_kill_at_any_step_of_saving_costs_nothing_but_time(tmp_path, monkeypatch, operation):
    original, steps, fatal = getattr(Path, operation), 0, 0

    def step(path, *given, **options):
        nonlocal steps
        steps += 1
        if steps == fatal:
            raise Killed
        return original(path, *given, **options)

    monkeypatch.setattr(Path, operation, step)
    config, folder = small("federation.rounds=2"), tmp_path / "run"
    run(config, folder, cadence=ALWAYS)
    straight = lasting(folder)
    for fatal in range(1, steps + 1):
        shutil.rmtree(folder)
        steps = 0
        with pytest.raises(Killed):
            run(config, folder, cadence=ALWAYS)
        run(config, folder, existing="resume", cadence=ALWAYS)
        assert lasting(folder) == straight, f"step {fatal}"


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "checkpoint.json"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, whole, name):
    stopped(tmp_path / "run", 6)
    damage(tmp_path / "run" / name)
    notices = []
    resume(tmp_path / "run", observer=Observer(notice=notices.append), cadence=ALWAYS)
    assert notices == [f"the latest checkpoint in {tmp_path / 'run'} is damaged; resuming from round 5"]
    assert lasting(tmp_path / "run") == whole


def test_a_damaged_checkpoint_does_not_take_the_place_of_the_one_before(tmp_path, whole, monkeypatch):
    stopped(tmp_path / "run", 6)
    damage(tmp_path / "run/checkpoint.safetensors")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", lambda *_: fail(errno.ENOSPC))
        with pytest.raises(RunError, match="no space left on device"):
            resume(tmp_path / "run", cadence=ALWAYS)
    rounds = []
    resume(tmp_path / "run", observer=Observer(record=lambda record: rounds.append(record.round)))
    assert rounds == [6, 7, 8]
    assert lasting(tmp_path / "run") == whole


def test_where_no_checkpoint_is_whole_the_run_starts_again(tmp_path, whole):
    stopped(tmp_path / "run", 6)
    for name in ("checkpoint.safetensors", "checkpoint.previous.json"):
        damage(tmp_path / "run" / name)
    notices = []
    resume(tmp_path / "run", observer=Observer(notice=notices.append))
    assert notices == [f"no checkpoint in {tmp_path / 'run'} is intact; the run starts from the beginning"]
    assert lasting(tmp_path / "run") == whole


def test_damaged_records_lead_back_to_where_they_were_whole(tmp_path, whole):
    stopped(tmp_path / "run", 6)
    records = tmp_path / "run/rounds.jsonl"
    os.truncate(records, records.stat().st_size - 1)
    resume(tmp_path / "run")
    assert lasting(tmp_path / "run") == whole


def test_a_pickle_in_place_of_a_checkpoint_is_refused(tmp_path):
    stopped(tmp_path / "run", 6)
    (tmp_path / "run/checkpoint.safetensors").write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(RunError, match="checkpoint.safetensors is a pickle, which is never read"):
        resume(tmp_path / "run")


def test_a_complete_run_is_not_played_again(tmp_path):
    outcome = run(small(), tmp_path / "run")
    observer = Observer(record=lambda record: pytest.fail("a round was played"))
    assert resume(tmp_path / "run", observer=observer) == outcome
    assert run(small(), tmp_path / "run", existing="resume", observer=observer) == outcome


@pytest.mark.parametrize("name", ["result.json", "timing.json"])
def test_a_run_killed_before_its_result_comes_to_it(tmp_path, whole, name):
    run(small(), tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    outcome = resume(tmp_path / "run", observer=Observer(record=lambda record: pytest.fail("a round was played")))
    assert lasting(tmp_path / "run") == whole
    assert outcome.rounds_per_second is None


def test_an_existing_run_is_refused_resumed_or_overwritten(tmp_path, whole):
    stopped(tmp_path / "run", 4)
    with pytest.raises(RunError, match="holds a run; resume it with --resume, or replace it with --overwrite"):
        run(small(), tmp_path / "run")
    rounds = []
    run(
        small(),
        tmp_path / "run",
        existing="resume",
        observer=Observer(record=lambda record: rounds.append(record.round)),
    )
    assert rounds == [5, 6, 7, 8]
    assert lasting(tmp_path / "run") == whole
    run(small("seed=1"), tmp_path / "run", existing="overwrite")
    assert lasting(tmp_path / "run")["result.json"] != whole["result.json"]


def test_another_run_is_not_resumed_in_its_place(tmp_path):
    stopped(tmp_path / "run", 4)
    with pytest.raises(ConfigError) as raised:
        run(small("federation.lr=0.1"), tmp_path / "run", existing="resume")
    assert str(raised.value) == (
        f"federation.lr is 0.1; {tmp_path / 'run'} was started with 0.05, choose another folder"
    )


def test_a_run_in_use_is_left_alone(tmp_path):
    stopped(tmp_path / "run", 4)
    before = lasting_so_far(tmp_path / "run")
    with lock_folder(tmp_path / "run"):
        with pytest.raises(RunError, match="is in use by another process"):
            resume(tmp_path / "run")
        with pytest.raises(RunError, match="is in use by another process"):
            run(small(), tmp_path / "run", existing="overwrite")
    assert lasting_so_far(tmp_path / "run") == before


def lasting_so_far(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("largest", [100, 400, 700, 1200])
def test_a_full_disk_stops_a_run_that_goes_on_when_there_is_room(tmp_path, whole, largest):
    with small_files(largest), pytest.raises(RunError, match="file too large; make room or choose another folder"):
        run(small(), tmp_path / "run", cadence=ALWAYS)
    run(small(), tmp_path / "run", existing="resume")
    assert lasting(tmp_path / "run") == whole


def fail(number):
    raise OSError(number, os.strerror(number))


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: fail(errno.EROFS))
    with pytest.raises(RunError, match="run: read-only file system; make room or choose another folder"):
        run(small(), tmp_path / "run")


def test_other_versions_are_told_of(tmp_path, whole):
    stopped(tmp_path / "run", 4)
    manifest = tmp_path / "run/manifest.json"
    manifest.write_text(manifest.read_text().replace(torch.__version__, "1.0"))
    notices = []
    resume(tmp_path / "run", observer=Observer(notice=notices.append))
    assert notices == [f"{tmp_path / 'run'} was started with other versions; results may differ in their last bits"]


def test_nothing_is_written_where_the_run_cannot_be_assembled(tmp_path):
    with pytest.raises(ConfigError, match="lenet: inputs of shape"):
        run(small("model.name=lenet"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_player_that_breaks_its_contract_stops_the_run_with_its_records(tmp_path, monkeypatch):
    def aggregate(self, view, memory):
        return (view.updates.mean(0) if view.round < 3 else view.updates[0, :2]), memory

    monkeypatch.setattr("sparring.defenses.Mean.aggregate", aggregate)
    with pytest.raises(PluginError, match="defense Mean returned"):
        run(small("defense.name=mean"), tmp_path / "run")
    assert [record.round for record in read_records(tmp_path / "run/rounds.jsonl", RoundRecord)] == [0, 1, 2, 3]


def test_a_run_builds_its_rule_once_after_it_was_configured(tmp_path, monkeypatch):
    config, built = small(), []

    def counted(kind, *given, **facts):
        built.append(kind)
        return build(kind, *given, **facts)

    monkeypatch.setattr("sparring.experiments.config.build.build", counted)
    run(config, tmp_path / "run")
    assert built.count("defense") == built.count("post_training") == 1
