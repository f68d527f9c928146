import json
import shutil

import pytest
import torch

from sparring.cli.main import main
from sparring.errors import ConfigError, Interrupted, RunError
from sparring.experiments import Observer, apply_overrides, parse_config, resume, run, to_document
from sparring.experiments.audit.request import read_request
from sparring.experiments.config.build_central import load_central_dataset
from sparring.experiments.config.central_schema import CentralConfig
from sparring.experiments.config.parse import digest
from sparring.experiments.runs.cost import describe_run, forecast_run
from sparring.experiments.runs.journal import read_records
from sparring.experiments.runs.manifest import read_old_manifest
from sparring.games.recursive import CentralRecord
from tests.experiments.killing import ALWAYS
from tests.experiments.small import lasting

SETTINGS = (
    *("kind=central", "data.name=synthetic", "data.classes=3", "data.features=6", "data.examples=90"),
    *("data.train=40", "data.validation=12", "model.name=mlp", "model.hidden=5", "training.epochs=2"),
    *("training.batch=10", "attack.name=level_k", "attack.epsilon=0.5", "defense.name=level_k", "defense.epsilon=0.5"),
)


def central(*settings):
    return parse_config(apply_overrides({}, SETTINGS + settings))


def test_a_run_leaves_its_files_and_results(tmp_path):
    outcome = run(central(), tmp_path / "run")
    names = {path.name for path in outcome.folder.iterdir()}
    assert names >= {"manifest.json", "rounds.jsonl", "result.json", "timing.json", "model.safetensors"}
    records = list(read_records(outcome.folder / "rounds.jsonl", CentralRecord))
    assert [record.round for record in records] == list(range(9))
    assert outcome.result["accuracy"] == records[-1].accuracy
    assert outcome.result["rounds"] == 8
    assert outcome.result["digest"] == digest(central())
    assert "backdoor_accuracy" not in outcome.result
    assert (
        "client" not in (outcome.folder / "rounds.jsonl").read_text() + (outcome.folder / "manifest.json").read_text()
    )


@pytest.mark.parametrize("knowledge", ["white_box", "black_box"])
@pytest.mark.parametrize("stop", [0, 3, 7])
def test_a_run_that_is_stopped_or_killed_ends_with_the_same_bytes(stop, knowledge, tmp_path):
    config, copied = central(f"threat.knowledge={knowledge}"), tmp_path / "killed"

    def keep(record):
        if record.round == stop + 1:  # what is on disk now is what a kill in this round leaves
            shutil.copytree(tmp_path / "run", copied)

    run(config, tmp_path / "run", observer=Observer(record=keep), cadence=ALWAYS)
    rounds = []
    observer = Observer(record=rounds.append, wants_stop=lambda: len(rounds) == stop + 1)
    with pytest.raises(Interrupted, match=f"^stopped after round {stop}; resume with: sparring resume"):
        run(config, tmp_path / "stopped", observer=observer)
    for name in ("killed", "stopped"):
        resume(tmp_path / name)
        assert lasting(tmp_path / name) == lasting(tmp_path / "run")


def test_a_configuration_and_what_it_records_are_equal(tmp_path):
    config = central("threat.validation=false", "training.validation_batch=5")
    assert isinstance(config, CentralConfig)
    assert parse_config(json.loads(json.dumps(to_document(config)))) == config
    run(config, tmp_path / "run")
    assert read_old_manifest(tmp_path / "run").config == config


def test_some_classes_are_kept_and_relabeled_in_the_given_order():
    (every, some) = (
        load_central_dataset(central("data.train=null", *settings)) for settings in ((), ("data.only=[2, 0]",))
    )
    assert some.classes == 2
    for split in ("train", "validation", "test"):
        assert set(getattr(some, split).labels.tolist()) == {0, 1}
    expected = [every.test.inputs[every.test.labels == label].sum() for label in (2, 0)]
    found = [some.test.inputs[some.test.labels == label].sum() for label in (0, 1)]
    torch.testing.assert_close(found, expected)
    assert len(some.validation.labels) == 12


def test_a_run_of_all_classes_is_described_as_before_they_could_be_chosen(tmp_path):
    assert "only" not in to_document(central())["data"]
    config = central("data.only=[2, 0]")
    assert parse_config(json.loads(json.dumps(to_document(config)))) == config
    run(config, tmp_path / "run")
    assert read_old_manifest(tmp_path / "run").config == config


def test_a_key_of_the_other_kind_is_refused():
    with pytest.raises(
        ConfigError, match=r"^the configuration has no key 'federation' with kind=central; it belongs to a federation"
    ):
        central("federation.rounds=3")
    with pytest.raises(
        ConfigError, match=r"^the configuration has no key 'training'; it belongs to kind=central, add that$"
    ):
        parse_config({"training": {"epochs": 3}})
    with pytest.raises(ConfigError, match=r"^kind is 'centrl'; it must be one of: federated, central$"):
        parse_config({"kind": "centrl"})
    assert digest(parse_config({"kind": "federated"})) == digest(parse_config({}))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.validation=0", r"^data\.validation"),
        ("data.train=5000", r"^data\.train is 5000; 'synthetic' has \d+ training examples left$"),
        ("data.validation=5000", r"^data\.validation is 5000; 'synthetic' has \d+ examples to hold out from$"),
        ("data.only=[0, 3]", r"^data\.only has class 3; 'synthetic' has classes 0 to 2$"),
        ("data.only=[1]", r"^data\.only is \[1\]; name at least two different classes$"),
        ("data.only=[1, 1]", r"^data\.only is \[1, 1\]; name at least two different classes$"),
        ("data.only=[-1, 1]", r"^data\.only"),
        ("attack.epsilon=0", r"epsilon"),
        ("attack.level=-1", r"level"),
        ("defense.level=-1", r"level"),
        ("training.optimizer=sgdd", r"^training\.optimizer"),
        (
            "attack={name: level_k, goal: evasion, target: 3}",
            r"^attack\.target is 3; with 3 classes it must be 0 to 2$",
        ),
        ("attack.malicious=3", r"^attack 'level_k' has no option 'malicious'"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(setting, message, tmp_path):
    with pytest.raises(ConfigError, match=message) as caught:
        run(central(setting), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_an_audit_needs_a_federation():
    with pytest.raises(ConfigError, match=r"^kind is 'central'; this needs a federation, leave kind out$"):
        read_request({"kind": "central"}, seeds=2, budget=60)


def test_a_forecast_counts_rounds_parameters_and_the_history():
    plan = forecast_run(central())
    assert plan.rounds == 8
    assert plan.parameters == 6 * 5 + 5 + 5 * 3 + 3
    facts = describe_run(central(), plan)
    assert facts["training"].startswith("2 epochs in minibatches of 10, adam")
    assert not any("client" in words for words in facts.values())


def test_a_history_that_does_not_fit_into_memory_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("sparring.experiments.config.build_central.memory_of", lambda device: 100)
    with pytest.raises(ConfigError, match=r"^training: a round needs 0\.0 GiB .* or attack\.momentum=0$"):
        run(central(), tmp_path / "run")


def test_the_command_line_runs_sweeps_and_reports(tmp_path, capsys):
    words = [*SETTINGS, "training.epochs=1"]
    assert main(["run", *words, "--json", "--out", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out)["rounds"] == 4
    targeted = ["attack.goal=conversion", "attack.target=1", "--out", str(tmp_path / "targeted")]
    assert main(["run", *words, *targeted]) == 0
    assert "converted" in capsys.readouterr().out
    assert main(["resume", str(tmp_path / "targeted")]) == 0
    assert main(["run", *words, "--seeds", "0..1", "--jobs", "1", "--out", str(tmp_path / "sweep")]) == 0
    assert main(["report", str(tmp_path / "sweep"), "--html", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "client" not in page.lower()
    assert "level_k" in page
    assert main(["report", str(tmp_path / "run"), str(tmp_path / "run")]) == 2
    assert main(["run", *words, "--dry-run"]) == 0
    assert main(["run", *words, "defense.epsilon=-1"]) == 2
    assert capsys.readouterr().err.count("\n") <= 40


def test_a_damaged_run_says_so(tmp_path):
    run(central(), tmp_path / "run")
    (tmp_path / "run/manifest.json").write_text((tmp_path / "run/manifest.json").read_text().replace("adam", "sgd"))
    (tmp_path / "run/result.json").unlink()
    with pytest.raises(RunError, match="was changed"):
        resume(tmp_path / "run")


DIGITS = (
    *("kind=central", "data.name=digits", "data.train=40", "data.validation=12", "model.name=logistic"),
    *("training.epochs=2", "training.batch=10"),
)
DEEP_CONFUSE = ("attack.name=deep_confuse", "attack.trials=1", "attack.steps=1")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("attack.name=level_k",), []),
        (DEEP_CONFUSE, ["preparing the attack"]),
        (
            ("threat.knowledge=black_box", "defense.name=generative", "defense.denoiser.name=vae"),
            ["preparing the attack and the defense"],
        ),
    ],
)
def test_what_learns_before_the_first_round_is_reported(settings, expected, tmp_path):
    config = parse_config(apply_overrides({}, (*DIGITS, *settings)))
    stages, notices = [], []
    run(config, tmp_path / "run", observer=Observer(stage=stages.append))
    forecast_run(config, notice=notices.append)
    assert stages == notices == expected


def test_an_interrupt_before_the_first_record_says_how_to_resume(tmp_path):
    def interrupt(stage):
        raise KeyboardInterrupt

    config = parse_config(apply_overrides({}, (*DIGITS, *DEEP_CONFUSE)))
    with pytest.raises(Interrupted, match=f"sparring resume {tmp_path / 'run'}"):
        run(config, tmp_path / "run", observer=Observer(stage=interrupt))
    assert resume(tmp_path / "run").result == run(config, tmp_path / "other").result
