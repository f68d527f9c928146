import pytest

from sparring.cli import crew, main
from sparring.experiments.claims import Above, Claim
from sparring.experiments.presets import PRESETS, Preset, plan_of
from sparring.experiments.sweeps import Here, read_sweep
from tests.cli.test_entry import refusal

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


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Play runs in this process."""
    monkeypatch.setattr(crew, "LocalWorkers", Here)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("name", PRESETS)
def test_the_smoke_scale_of_a_preset_is_played_and_not_judged(name, tmp_path, capsys):
    words = ["reproduce", name, "--scale", "smoke", "--jobs", "1", "--out", str(tmp_path / "s")]
    assert main(words) == 0
    out = capsys.readouterr().out
    plan = plan_of(PRESETS[name], "smoke")
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
        "- Every rule reckons with 20% malicious updates; 0% of the clients are malicious.",
        "undecided: It learns.",
        "not judged: It learns under x. (there are no results of defense=mean, attack=x)",
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


def test_an_unknown_preset_is_one_line(capsys):
    assert main(["reproduce", "rla-fig2"]) == 2
    assert refusal(capsys) == "unknown preset 'rla-fig2'; did you mean 'rla-fig3'?"


def test_an_unknown_scale_is_one_line(capsys):
    assert main(["reproduce", "rla-fig3", "--scale", "desktop"]) == 2
    assert "'desktop' is not one of 'smoke', 'laptop', 'paper'" in refusal(capsys)
