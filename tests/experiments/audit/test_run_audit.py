import json

import pytest

from sparring.data.datasets.digits import Digits
from sparring.errors import ConfigError, Interrupted, RunError
from sparring.experiments.analysis.frames import by_seed, read_frame
from sparring.experiments.audit import audit
from sparring.experiments.audit.budget import BREAKING_SEEDS
from sparring.experiments.audit.contenders import CONTENDERS
from sparring.experiments.audit.training import read_trained
from sparring.experiments.runs.run_folder import lock_folder
from sparring.experiments.sweeps import read_sweep
from sparring.experiments.sweeps.follower import NoFollower
from tests.experiments.audit.asking import SMALL, WHITE_BOX, asked, audited, hurry, left, shorten

LEARNED = {f"learned {name}" for name in ("local_search", "relative", "ascent", "portfolio", "td3")}
LONELY = (
    *("data={name: digits, root_size: 20}", "federation.sampled=2", "attack.malicious=1"),
    "threat.assumed_malicious=0",
)


@pytest.fixture
def short(monkeypatch):
    shorten(monkeypatch)


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """An audit with one malicious client, which most simulated episodes would never sample, and what it loaded."""
    loads = []

    def counted(self):
        loads.append(self)
        return load(self)

    load = Digits.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Digits, "load", counted)
        patch.setattr("sparring.experiments.audit.budget.seconds_per_step", lambda *_, **__: 0.1)
        patch.setattr("sparring.experiments.audit.budget.plan_audit", lambda *_, **__: SMALL)
        hurry(patch)
        request = asked(WHITE_BOX, *LONELY, budget=1e5)
        return audit(request, tmp_path_factory.mktemp("audit") / "lonely"), loads


def test_an_audit_of_one_malicious_client_comes_to_its_end(lonely):
    done, _ = lonely
    assert done.verdict.clean.n == 2
    assert set(done.policies) == LEARNED


def test_an_audit_loads_its_data_set_once(lonely):
    done, loads = lonely
    assert len(loads) == 1
    assert not (done.folder / ".data").exists()


def accuracies(done, attack, stage="attacks"):
    return by_seed(read_frame(done.folder / stage), {"attack": attack}, metric="accuracy")


def test_everything_is_played_with_the_fresh_seeds(done):
    sweep = read_sweep(done.folder / "attacks")
    assert sweep.axes["attack"][0] == "none"
    assert set(sweep.axes["attack"]) == {"none", *asked(WHITE_BOX).attacks, *LEARNED}
    assert sweep.axes["seed"] == ("0", "1")
    assert sweep.failures == ()


def test_the_verdict_is_on_the_worst_attack_by_hand(done):
    means = {attack: sum(accuracies(done, attack).values()) / 2 for attack in asked(WHITE_BOX).attacks}
    crafted = done.verdict.crafted
    assert crafted.summary.mean == pytest.approx(min(means.values()))
    assert means[crafted.attack] == pytest.approx(min(means.values()))


def test_the_policy_with_the_largest_error_in_training_is_chosen(done):
    errors = {label: trained.harm for label, trained in done.policies.items()}
    assert errors[done.verdict.learned.attack] == max(errors.values())
    assert all(0 <= error <= 1 for error in errors.values())


def test_the_better_half_is_trained_further(done):
    names = {label.removeprefix("learned ") for label in done.policies}
    lengths = {name: len(list((done.folder / "policies" / name).glob("policy-*"))) for name in names}
    assert sorted(lengths.values()) == [1, 1, 1, 2, 3]
    assert lengths["td3"] == 1
    first = {name: read_trained(done.folder / "policies" / name / "training-24.json").harm for name in CONTENDERS}
    kept = sorted(first, key=lambda name: -first[name])[:2]
    assert {lengths[name] for name in kept} == {2, 3}


def test_the_gap_is_paired_by_seed(done):
    crafted, learned = (accuracies(done, cell.attack) for cell in (done.verdict.crafted, done.verdict.learned))
    differences = [crafted[seed] - learned[seed] for seed in (0, 1)]
    assert done.verdict.difference.difference == pytest.approx(sum(differences) / 2)
    assert done.verdict.difference.n == 2


def test_the_number_of_clients_that_halve_the_accuracy_is_bracketed(done):
    breaking, half = done.verdict.breaking, done.verdict.clean.mean / 2
    broken = [count for count, accuracy in breaking.tried.items() if accuracy <= half]
    assert breaking.clients == (min(broken) if broken else None)
    assert max(breaking.tried) == 4, "half of the clients"
    stage = f"breaking/learned {breaking.confirmed_at}"
    assert breaking.learned == pytest.approx(sum(accuracies(done, "learned", stage).values()) / 2)
    assert len(accuracies(done, "learned", stage)) == min(2, BREAKING_SEEDS)


def test_a_finished_audit_is_read_and_nothing_is_played_again(done, monkeypatch):
    before = left(done.folder)
    monkeypatch.setattr("sparring.experiments.sweeps.task.run", None)
    monkeypatch.setattr("sparring.experiments.audit.training.run_job", None)
    assert audited(done.folder) == done
    assert left(done.folder) == before


class Impatient(NoFollower):
    """Wants to stop when a stage begins."""

    def __init__(self, stage):
        self.stages, self.stage = [], stage

    def begin(self, stage, seconds=0.0):
        self.stages.append(stage)
        if len(self.stages) == self.stage:
            raise Interrupted("enough")


def test_an_audit_that_is_stopped_before_each_stage_comes_to_the_same_bytes(done, short, tmp_path):
    for stage in (2, 3, 3, 4, 4, 5):
        with pytest.raises(Interrupted):
            audited(tmp_path, follower=Impatient(stage))
    follower = Impatient(0)
    assert audited(tmp_path, follower=follower).verdict == done.verdict
    assert not any("measuring" in told for told in follower.stages), "the effort is that of the beginning"
    assert left(tmp_path) == left(done.folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(RunError, match="exists and holds no audit; choose another folder"):
        audited(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.run_audit.measure_plan", None)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file/below/audit: not a directory; make room or choose another folder"):
        audited(tmp_path / "file" / "below" / "audit")


def test_another_audit_is_refused(done):
    with pytest.raises(ConfigError, match="holds another audit"):
        audit(asked(WHITE_BOX, "defense.name=krum"), done.folder)


def test_two_processes_do_not_share_an_audit(short, tmp_path):
    with lock_folder(tmp_path / "audit"), pytest.raises(RunError, match="in use by another process"):
        audited(tmp_path / "audit")


def test_an_attack_that_fails_is_missing_and_the_others_go_on(short, tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.attacks.SignFlip.craft", lambda self, view: 1 // 0)
    done = audited(tmp_path)
    assert {failure.labels["attack"] for failure in read_sweep(tmp_path / "attacks").failures} == {"sign_flip"}
    assert done.verdict.crafted.attack != "sign_flip"
    assert "attack SignFlip raised ZeroDivisionError" in (tmp_path / "report.html").read_text()


def test_without_the_learned_attack_there_is_no_verdict(short, tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.attacks.LearnedAttack.craft", lambda self, view: 1 // 0)
    with pytest.raises(RunError, match=r"^learned \w+ failed: attack LearnedAttack raised ZeroDivisionError"):
        audited(tmp_path)


def test_the_verdict_is_written_without_time_and_place(done):
    written = json.loads((done.folder / "verdict.json").read_text())
    assert written["clean"]["mean"] == done.verdict.clean.mean
    assert written["gap"]["verdict"] == "undecided", "two seeds decide nothing"
    assert str(done.folder) not in (done.folder / "verdict.json").read_text()
