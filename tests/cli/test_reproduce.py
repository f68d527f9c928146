import signal
from dataclasses import replace

import pytest

from sparring.cli import options
from sparring.cli.main import main
from sparring.experiments.analysis.claims import Above, Claim
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.online_training import train_part
from sparring.experiments.reproductions.preset import Preset, plan_preset
from sparring.experiments.sweeps import read_sweep
from sparring.policies import save_policy
from tests.attacks.learned.policies import trained
from tests.cli.test_main import refusal
from tests.experiments.small_training import QUICK, document, due

BASE = {
    "data": {"name": "synthetic", "classes": 3, "features": 4, "examples": 60, "root_size": 10},
    "model": {"name": "logistic"},
    "federation": {"clients": 6, "sampled": 3, "rounds": 2, "batch": 2},
    "evaluation": {"every": 1},
}
TOO_MANY = {"data.root_size": 1000}
"""More examples than there are, which only shows when the data are loaded."""

TINY = Preset(
    id="tiny",
    title="a preset of two runs",
    source="nobody",
    metrics=("accuracy",),
    document=lambda scale: {
        "base": BASE,
        "axes": {
            "defense": {"mean": {"defense.name": "mean"}},
            "attack": {"none": {"attack.name": "none"}, "x": TOO_MANY},
        },
    },
    differences={"laptop": ("It shows nothing.",)},
    published=lambda scale: (),
    claims=lambda scale: (
        Claim("It learns.", (Above({"defense": "mean", "attack": "none"}, 0.0),)),
        Claim("It learns under x.", (Above({"defense": "mean", "attack": "x"}, 0.0),)),
    ),
)

LEARNING = replace(
    TINY,
    id="learning",
    document=lambda scale: document("{policies}"),
    claims=lambda scale: (),
    training=lambda scale, labels: QUICK,
)
"""Two runs without an attack, and two with one that is learned."""
POLICIES = ["mean-0.safetensors", "median-0.safetensors"]


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Play runs in this process."""
    monkeypatch.setattr(options, "LocalWorkers", InlineWorkers)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("name", PRESETS)
def test_the_smoke_scale_of_a_preset_is_played_and_not_judged(name, tmp_path, capsys):
    words = ["reproduce", name, "--scale", "smoke", "--jobs", "1", "--out", str(tmp_path / "s")]
    assert main(words) == 0
    out = capsys.readouterr().out
    plan = plan_preset(PRESETS[name], "smoke")
    assert out.count("(n = 1)") == len(plan.cells) * len(PRESETS[name].metrics)
    assert out.count("\nnot judged: ") == len(PRESETS[name].claims("smoke"))
    assert f"{len(plan.runs)} of {len(plan.runs)} complete" in out
    assert read_sweep(tmp_path / "s").preset == {"id": name, "scale": "smoke"}
    lines = [line for line in out.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 80


def test_what_is_reproduced_is_told_and_judged(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "tiny"]) == 1
    out, err = capsys.readouterr()
    assert "x failed: root data size is 1000" in err
    paragraphs = " ".join(out.split())
    for told in (
        "tiny: a preset of two runs (nobody), laptop scale, 2 runs",
        "- It shows nothing.",
        "- Every rule assumes 20% malicious updates; 0% of the clients are malicious.",
        "undecided: It learns.",
        "not judged: It learns under x. (no results for defense=mean, attack=x)",
        "1 of 2 complete",
    ):
        assert told in paragraphs
    assert (tmp_path / "reproductions" / "tiny-laptop" / "sweep.json").exists()


def test_runs_that_failed_are_played_again_when_asked(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    monkeypatch.chdir(tmp_path)
    failures = []
    for words in ([], [], ["--retry-failed"]):
        assert main(["reproduce", "tiny", *words]) == 1
        failures.append(" failed: " in capsys.readouterr().err)
    assert failures == [True, False, True]


@pytest.fixture
def learning(monkeypatch, tmp_path):
    """Stand where an attack is to be learned, and no policies come with Sparring."""
    monkeypatch.setitem(PRESETS, "learning", LEARNING)
    monkeypatch.setattr("sparring.policies.saved_policy.SHIPPED", tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reproductions" / "learning-laptop"


def policies(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "policies").glob("*.safetensors"))}


def test_attacks_are_learned_before_they_are_played_and_only_once(learning, capsys):
    assert main(["reproduce", "learning"]) == 0
    out, err = capsys.readouterr()
    assert "sparring: training 2 policies\n" in err
    assert "4 of 4 complete" in out
    before = policies(learning)
    assert list(before) == POLICIES
    (learning / "policies" / POLICIES[0]).unlink()
    assert main(["reproduce", "learning"]) == 0
    err = capsys.readouterr().err
    assert "sparring: training 1 policy\n" in err
    assert "run 0/" not in err, "what was played with an equal policy is not run again"
    assert policies(learning) == before


def test_what_was_played_with_another_policy_is_played_again(learning, capsys):
    assert main(["reproduce", "learning"]) == 0
    save_policy(learning / "policies" / POLICIES[0], trained(0.5, 0.5, inputs=51))
    capsys.readouterr()
    assert main(["reproduce", "learning"]) == 0
    assert "run 0/1:" in capsys.readouterr().err
    assert main(["reproduce", "learning"]) == 0
    assert "training" not in capsys.readouterr().err


def ship(folder):
    """Train policies and put them where those are that come with Sparring."""
    shipped = folder / "shipped" / "learning-laptop"
    shipped.mkdir(parents=True)
    (folder / "trained").mkdir()
    for part in due(folder / "trained").values():
        assert train_part(part) == part.policy
        part.policy.rename(shipped / part.policy.name)
    return shipped


def test_where_a_policy_is_missing_that_comes_with_sparring_nothing_is_trained_into_the_package(
    learning, tmp_path, capsys
):
    shipped = ship(tmp_path)
    (shipped / POLICIES[0]).unlink()
    before = sorted(shipped.rglob("*"))
    assert main(["reproduce", "learning"]) == 1
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith(
        f"sparring: {shipped / POLICIES[0]} is a pre-trained policy and is missing; reinstall Sparring"
    )
    assert sorted(shipped.rglob("*")) == before


def test_policies_that_come_with_sparring_are_played_unless_others_are_wanted(learning, tmp_path, capsys):
    ship(tmp_path)
    assert main(["reproduce", "learning"]) == 0
    assert "training" not in capsys.readouterr().err
    assert not (learning / "policies").exists()
    assert main(["reproduce", "learning", "--train"]) == 0
    assert "sparring: training 2 policies\n" in capsys.readouterr().err
    assert list(policies(learning)) == POLICIES


def test_a_training_that_is_stopped_is_gone_on_with(learning, monkeypatch, capsys):
    signals = iter([signal.SIGINT])

    def interrupted(part):
        for number in signals:
            signal.raise_signal(number)
        return train_part(part)

    with monkeypatch.context() as patch:
        patch.setattr("sparring.experiments.reproductions.online_training.train_part", interrupted)
        assert main(["reproduce", "learning"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "sparring: stopped while training; the same command resumes it"
    assert policies(learning) == {}
    assert main(["reproduce", "learning"]) == 0
    assert list(policies(learning)) == POLICIES


def test_a_training_that_fails_names_its_policy_and_nothing_is_played(learning, monkeypatch, capsys):
    monkeypatch.setattr("sparring.defenses.Median.aggregate", lambda self, view, memory: 1 // 0)
    assert main(["reproduce", "learning"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("sparring: median-0 failed: defense Median raised ZeroDivisionError")
    assert list(policies(learning)) == POLICIES[:1]
    assert not (learning / "runs").exists()


@pytest.mark.parametrize("name", ["msg-table7", "rla-bound"])
def test_where_nothing_is_learned_nothing_can_be_trained(name, capsys):
    assert main(["reproduce", name, "--train"]) == 2
    assert refusal(capsys) == f"--train is given; {name} has no learned attack, leave the option out"


def test_an_unknown_preset_is_one_line(capsys):
    assert main(["reproduce", "rla-fig2"]) == 2
    assert refusal(capsys) == "unknown preset 'rla-fig2'; did you mean 'rla-fig3'?"


def test_an_unknown_scale_is_one_line(capsys):
    assert main(["reproduce", "rla-fig3", "--scale", "desktop"]) == 2
    assert "'desktop' is not one of 'smoke', 'laptop', 'paper'" in refusal(capsys)
