from itertools import count

import pytest
import torch

from sparring.attacks import LearnedAttack
from sparring.contracts import Space
from sparring.errors import Interrupted
from sparring.experiments.audit import training
from sparring.experiments.audit.contenders import (
    CONTENDERS,
    FURTHER,
    RUNGS,
    TD3,
    count_table,
    search_of,
    steps_of_rungs,
    units_in_sequence,
)
from sparring.experiments.audit.training import (
    TrainingJob,
    TrainingTask,
    count_progress,
    is_trained,
    make_learning_task,
    read_best,
    read_trained,
    seconds_per_step,
    steps_made,
    steps_to_compare,
    train_attack,
    train_in_worker,
)
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.jobs.job import Failed, Stopped
from sparring.experiments.jobs.save_pace import SELDOM, CheckpointInterval, SavePace
from sparring.games.env import SeatEnv
from sparring.policies import Features
from tests.experiments.audit.asking import asked, hurry

BENIGN = {"name": "none"}
TASK = TrainingTask("relative", rounds=4, steps=100, seed=3)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Searches are short, and a snapshot can be due every few steps."""
    hurry(monkeypatch)
    monkeypatch.setattr("sparring.learning.learner.SECONDS", 1e9)


def job(folder, *settings):
    return TrainingJob(folder / "1", asked(*settings).run(BENIGN, 3), TASK, (), folder / "data")


def scenario(*settings):
    config = asked(*settings).run(BENIGN, 3)
    return build_scenario(config, load_dataset(config))


def trained(folder, task=TASK, **options):
    return train_attack(scenario(), task, folder=folder, **options)


def result(policy):
    """Return the bytes of a policy and of its record."""
    return policy.read_bytes(), policy.with_name(f"training-{policy.stem.partition('-')[2]}.json").read_bytes()


@pytest.mark.parametrize("name", CONTENDERS)
def test_a_policy_is_trained_that_can_be_played(tmp_path, name):
    policy = trained(tmp_path, TASK._replace(name=name, steps=10))
    attack = LearnedAttack(str(policy))
    assert attack.acting == CONTENDERS[name].acting
    assert attack.trained.versions[0].policy.encoder is not None
    read = read_best(tmp_path)
    assert read.policy == policy
    assert 0 <= read.harm <= 1
    assert read.steps >= 10


def test_policies_of_features_are_trained_and_td3_starts_from_them(tmp_path):
    start = trained(tmp_path / "start", TASK._replace(name="portfolio_features", steps=10))
    for policy in (start, trained(tmp_path / "td3", TASK._replace(name=TD3, start=start, steps=10))):
        attack = LearnedAttack(str(policy))
        assert attack.trained.features == Features(TASK.rounds)
        assert attack.trained.versions[0].policy.encoder.features == 3
        assert attack.acting == CONTENDERS["portfolio"].acting
        attack.check(scenario().federation.network)


def test_a_search_over_features_begins_with_the_constant_of_its_contender():
    contender, table = FURTHER["portfolio_features"], count_table(sampled=10, malicious=20, clients=100)
    search = search_of(contender, table)
    space = Space(20, len(contender.start))
    policy = search.family.policy(torch.tensor(search.start), space)
    assert policy(torch.linspace(-1, 1, 20)).tolist() == pytest.approx(contender.start)


def test_the_progress_counts_the_comparison_after_the_training(tmp_path, monkeypatch):
    seen, one = [], job(tmp_path)
    monkeypatch.setattr("sparring.experiments.audit.training.SELECTION_EPISODES", 6)
    played = training.episode_returns

    def counted(*given, **named):
        seen.append(count_progress(one, 100))
        return played(*given, **named)

    assert count_progress(one, 100) == 0
    monkeypatch.setattr(training, "episode_returns", counted)
    trained(one.folder)
    assert seen[0] in (0, 100), "by then a snapshot of the training may have been saved"
    assert seen[1:] == [100 + 4 * TASK.rounds], "a file tells of every four episodes"
    assert count_progress(one, 100) == 100 + steps_to_compare(TASK) == 100 + 6 * TASK.rounds


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_training_that_is_stopped_goes_on_to_the_same_bytes(tmp_path, chunks):
    asked_to_stop = iter([False] * (chunks - 1) + [True])
    with pytest.raises(Interrupted):
        trained(tmp_path / "stopped", wants_stop=lambda: next(asked_to_stop))
    assert 0 < steps_made(tmp_path / "stopped") < 100
    assert result(trained(tmp_path / "stopped")) == result(trained(tmp_path / "straight"))


def test_a_longer_training_continues_a_shorter_one(tmp_path):
    short = TASK._replace(steps=40)
    trained(tmp_path / "continued", short)
    before = steps_made(tmp_path / "continued")
    assert 40 <= before < 100
    assert result(trained(tmp_path / "continued")) == result(trained(tmp_path / "straight"))
    short, long = (read_trained(tmp_path / "continued" / f"training-{steps}.json") for steps in (40, 100))
    assert short.steps < long.steps
    assert read_best(tmp_path / "continued").harm == max(short.harm, long.harm)


def test_td3_starts_from_a_policy_and_resumes_to_the_same_bytes(tmp_path):
    start = trained(tmp_path / "start", TASK._replace(steps=10))
    task = TASK._replace(name=TD3, start=start)
    asked_to_stop = iter([False, True])
    with pytest.raises(Interrupted):
        trained(tmp_path / "stopped", task, wants_stop=lambda: next(asked_to_stop))
    again = trained(tmp_path / "stopped", task)
    assert result(again) == result(trained(tmp_path / "straight", task))
    assert LearnedAttack(str(again)).acting == CONTENDERS["relative"].acting


def test_snapshots_are_saved_by_time_and_not_by_steps(tmp_path, monkeypatch):
    places = []
    monkeypatch.setattr(
        "sparring.experiments.jobs.resumable.save_snapshot",
        lambda folder, packed, *, progress: places.append(progress),
    )
    trained(tmp_path / "seldom", pace=SavePace(clock=lambda: 0.0))
    assert places == []
    trained(tmp_path / "often", pace=SavePace(CheckpointInterval(0, 1), clock=lambda: 0.0))
    often = len(places)
    ticks = count()
    slow = SavePace(CheckpointInterval(seconds=1, share=0.5), clock=lambda: next(ticks))
    trained(tmp_path / "slow", pace=slow)
    assert 0 < len(places) - often < often, "saving took a second, of which two must pass before the next"


def test_a_training_that_was_killed_goes_on_from_a_snapshot_to_the_same_bytes(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    often = SavePace(CheckpointInterval(0, 1), clock=lambda: 0.0)
    with monkeypatch.context() as patch:
        patch.setattr("sparring.experiments.audit.training.save_policy", killed)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "killed", pace=often)
    assert steps_made(tmp_path / "killed") > 0
    assert result(trained(tmp_path / "killed")) == result(trained(tmp_path / "straight"))


def test_the_time_of_a_step_includes_saving(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.training._time_contender", lambda *_, **__: 1.0)
    assert seconds_per_step(scenario(), rounds=4) == 1 + SELDOM.share


def test_a_job_leaves_a_policy(tmp_path):
    assert not is_trained(job(tmp_path))
    assert train_in_worker(job(tmp_path)) == tmp_path / "1" / "policy-100.safetensors"
    assert is_trained(job(tmp_path))


def test_a_job_is_not_begun_when_a_stop_is_requested(tmp_path):
    (tmp_path / ".stop").touch()
    assert train_in_worker(job(tmp_path)) == Stopped()
    assert not (tmp_path / "1").exists()


def test_what_goes_wrong_in_a_job_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.defenses.Median.aggregate", lambda self, view, memory: 1 // 0)
    answer = train_in_worker(job(tmp_path))
    assert isinstance(answer, Failed)
    assert answer.error.startswith("defense Median raised ZeroDivisionError")


def test_an_episode_begins_when_the_attack_does():
    task = make_learning_task(scenario("attack.start=2"), CONTENDERS["relative"].acting, rounds=4)
    env = SeatEnv(task.game, task.seat)
    env.reset(seed=0)
    assert env.match.state.federation.round >= 2


def test_every_rung_costs_the_same():
    assert {rung.jobs * rung.units for rung in RUNGS} == {4}
    assert [steps for _, steps in steps_of_rungs(10)] == [10, 30, 50]
    assert [units_in_sequence(workers) for workers in (1, 2, 4)] == [12, 6, 5]


def test_a_table_has_rows_for_the_counts_that_occur():
    assert count_table(sampled=10, malicious=20, clients=100).counts == (1, 2, 3, 4, 6)
    assert count_table(sampled=10, malicious=1, clients=50).counts == (1,)
    assert count_table(sampled=4, malicious=10, clients=10).counts == (2, 4)
