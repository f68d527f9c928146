import json
import shutil

import pytest

from sparring.errors import RunError
from sparring.experiments.report.html_page import render_page
from sparring.experiments.report.study import read_study
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.experiments.sweeps.sweep_folder import read_sweep, run_folder
from tests.experiments.report.studies import DOCUMENT, EVIL


@pytest.fixture
def copied(sweep_folder, tmp_path):
    return shutil.copytree(sweep_folder, tmp_path / "sweep")


def first_run(folder):
    return run_folder(folder, read_sweep(folder).cells[0].digest)


def test_a_sweep_is_read_with_its_curves_and_manifests(sweep_folder):
    study = read_study(sweep_folder)
    assert study.name == "my sweep"
    assert study.axes == {"attack": ("none", EVIL), "defense": ("mean", "median"), "seed": ("0", "1")}
    assert len(study.complete) == len(study.curves) == len(study.manifests) == len(study.frame) == 8
    assert all([round for round, _ in curve] == [0, 2, 4, 6] for curve in study.curves.values())


def test_a_curve_ends_where_the_result_says(sweep_folder):
    study = read_study(sweep_folder)
    ends = [study.curves[run][-1][1] for run in study.frame["run"]]
    assert ends == study.frame["accuracy"].tolist()


def test_a_run_is_a_study_of_one(copied):
    study = read_study(first_run(copied))
    (accuracy,) = study.frame["accuracy"]
    assert (study.axes, len(study.complete), study.missing) == ({}, 1, ())
    assert accuracy == study.curves[study.frame["run"][0]][-1][1]


def test_a_run_that_is_not_complete_is_missing(copied):
    (first_run(copied) / "result.json").unlink()
    study = read_study(copied)
    assert study.missing == study.cells[:1]
    with pytest.raises(RunError, match="not complete; resume it with `sparring resume`"):
        read_study(first_run(copied))


def test_a_run_of_another_version_is_still_reported(copied):
    path = first_run(copied) / "manifest.json"
    content = json.loads(path.read_text())
    content["digest"], content["versions"] = "0" * 64, {"sparring": "0.0.1"}
    path.write_text(json.dumps(content))
    assert len(read_study(copied).complete) == 8


def test_what_a_sweep_chose_is_read(tmp_path):
    document = DOCUMENT | {
        "base": DOCUMENT["base"] | {"data": DOCUMENT["base"]["data"] | {"validation": 0.2}},
        "axes": {**DOCUMENT["axes"], "defense": [{"name": "clipped", "max_norm": 1.0, "inner": {"name": "median"}}]},
        "select": {
            "tune": "defense",
            "try": {"clipped (max_norm=1.0, inner=median)": {"defense.max_norm": [0.1, 1.0]}},
            "against": {"attack": [EVIL]},
            "seeds": [0],
        },
    }
    del document["axes"]["defense.name"]
    sweep(plan_sweep(document), tmp_path / "sweep")
    (choice,) = read_study(tmp_path / "sweep").choices
    assert len(choice.trials) == 2
    assert choice.worst == max(trial.worst for trial in choice.trials)


def test_a_run_with_a_plug_in_is_read_without_it(copied):
    path = first_run(copied) / "manifest.json"
    content = json.loads(path.read_text()) | {"plugins": {"my_rules": "1.0"}}
    content["config"]["defense"] = {"name": "trusting", "longest": 0.5}
    path.write_text(json.dumps(content))
    study = read_study(copied)
    assert len(study.complete) == 8
    told = render_page(study)
    assert "trusting (longest=0.5)" in told
    assert "--plugin my_rules seed=0" in told


def test_reading_builds_nothing(sweep_folder, monkeypatch):
    monkeypatch.setattr("sparring.experiments.config.sections.build", None)
    assert render_page(read_study(sweep_folder))


@pytest.mark.parametrize("content", [None, b"", b"{}}\n", b'{"lost": 1}\n'])
def test_damaged_records_are_refused(copied, content):
    path = first_run(copied) / "rounds.jsonl"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"rounds\.jsonl is missing or damaged; run it again with --overwrite"):
        read_study(copied)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(RunError, match="holds neither a sweep nor a run; give a folder that `sparring sweep` created"):
        read_study(tmp_path)
