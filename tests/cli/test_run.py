import json
import os
import pickle  # noqa: TID251  (to see it refused)
import signal

import pytest

from sparring.cli.main import main
from sparring.cli.progress import Lines
from sparring.experiments import digest
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.policies import save_policy
from tests.attacks.learned.policies import trained
from tests.cli.test_main import refusal
from tests.defenses.learned.policies import written
from tests.experiments.jobs.test_atomic_files import small_files
from tests.experiments.small import SETTINGS, lasting, small


def played(capsys, *words):
    """Return the JSON object that is all a command prints on stdout."""
    assert main(["run", *SETTINGS, "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_prints_one_json_object(folder, capsys):
    printed = played(capsys)
    assert printed.keys() >= {
        "accuracy",
        "average_accuracy",
        "loss",
        "backdoor_accuracy",
        "rounds",
        "rounds_per_second",
    }
    assert printed["backdoor_accuracy"] is None
    assert printed["rounds"] == 8
    assert printed["rounds_per_second"] > 0
    assert printed["run"] == f"runs/{digest(small())[:12]}"
    assert json.loads((folder / printed["run"] / "result.json").read_text())["accuracy"] == printed["accuracy"]


def test_a_run_tells_people_what_it_came_to(folder, capsys):
    assert main(["run", *SETTINGS, "--out", "mein Lauf"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["accuracy", "loss", "speed", "run"]
    assert "mein Lauf" in out
    assert [line.split(":")[0] for line in err.splitlines()] == ["round 0/8", "round 3/8", "round 6/8", "round 8/8"]


def test_a_backdoor_is_told_of_while_it_is_made_and_at_the_end(folder, capsys):
    backdoor = ("data={name: digits, size: 28}", "attack={name: bfl, malicious: 2}", "threat.assumed_malicious=0")
    assert main(["run", *SETTINGS, *backdoor]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if line[0] != " "] == [
        "accuracy",
        "backdoor",
        "loss",
        "speed",
        "run",
    ]
    assert all(", backdoor 0." in line or ", backdoor 1." in line for line in err.splitlines())


def test_a_file_says_what_settings_say(folder, capsys):
    (folder / "größe.yaml").write_text(
        "data: {name: synthetic, classes: 4, features: 6, examples: 160, root_size: 20}\n"
        "model: {name: logistic}\n"
        "federation: {clients: 8, sampled: 4, rounds: 9, batch: 4, momentum: 0.5}\n"
        "attacks: [{name: ipm, malicious: 2}]\n"
        "defense: {name: centered-clipping}\n"
    )
    assert main(["run", "größe.yaml", "federation.rounds=8", "evaluation.every=3", "--out", "file", "--json"]) == 0
    capsys.readouterr()
    played(capsys, "--out", "settings")
    assert lasting(folder / "file") == lasting(folder / "settings")


def test_a_dry_run_tells_what_would_be_played_and_writes_nothing(folder, capsys):
    assert main(["run", *SETTINGS, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    facts = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert facts["attack"] == "ipm (scale=5.0) by 2 of 8 clients"
    assert facts["time"].startswith("about ")
    assert facts["memory"].endswith(" MiB")
    assert err == ""
    assert os.listdir(folder) == []


def test_a_dry_run_can_be_one_json_object(folder, capsys):
    printed = played(capsys, "--dry-run", "--out", "there")
    assert printed["config"]["defense"]["name"] == "centered_clipping"
    assert printed["digest"] == digest(small())
    assert printed["seconds"] > 0
    assert printed["run"] == "there"
    assert os.listdir(folder) == []


def test_an_existing_run_is_refused_resumed_or_overwritten(folder, capsys):
    first = played(capsys, "--out", "run")
    assert main(["run", *SETTINGS, "--out", "run", "seed=1"]) == 1
    assert refusal(capsys) == "run holds a run; resume it with --resume, or replace it with --overwrite"
    assert played(capsys, "--out", "run", "--resume") == first
    assert played(capsys, "--out", "run", "--overwrite", "seed=1")["digest"] != first["digest"]
    assert main(["run", *SETTINGS, "--out", "run", "--resume"]) == 2
    assert refusal(capsys) == "seed is 0; run was started with 1, choose another folder"
    assert main(["run", "--resume", "--overwrite"]) == 2
    assert refusal(capsys) == "--resume and --overwrite are both given; choose one"


def test_a_complete_run_that_is_asked_for_again_says_where_it_is(folder, capsys):
    first = played(capsys)
    assert main(["run", *SETTINGS, "execution.threads=2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == first
    assert err == f"sparring: {first['run']} holds this run, and it is complete; --overwrite runs it again\n"


def test_a_run_is_played_with_several_seeds_and_shown_with_intervals(folder, capsys, monkeypatch):
    monkeypatch.setattr("sparring.cli.options.LocalWorkers", lambda count: InlineWorkers())
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["run", *SETTINGS, "--seeds", "0..2"]) == 0
    out = capsys.readouterr().out
    place = f"runs/{digest(small())[:12]}-seeds"
    assert out.startswith(f"runs   3 of 3 complete\nsweep  {place}\n")
    assert "n=3" in out
    assert out.splitlines()[-1] == f"next  sparring report {place} --html {place}.html"
    assert main(["run", *SETTINGS, "--seeds", "0..3", "--json"]) == 0
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert (printed["complete"], "run 1/1:" in err) == (4, True), "more seeds go on where fewer ended"
    (cell,) = printed["cells"]
    assert (cell["labels"], cell["accuracy"]["n"]) == ({}, 4)
    assert cell["accuracy"]["low"] <= cell["accuracy"]["mean"] <= cell["accuracy"]["high"]
    assert main(["run", *SETTINGS, "--seeds", "5,7", "--dry-run"]) == 0
    assert "runs   2: 2 due\n" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_round_and_the_run_can_be_resumed(folder, capsys, monkeypatch, number):
    played(capsys, "--out", "straight")
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch:
        patch.setattr(Lines, "show", lambda self, done, news: done == 5 and signal.raise_signal(number))
        assert main(["run", *SETTINGS, "--out", "mein Lauf", "--json"]) == 130
    assert refusal(capsys) == "stopped after round 5; resume with: sparring resume 'mein Lauf'"
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert (folder / "mein Lauf/rounds.jsonl").read_bytes().count(b"\n") == 6
    assert main(["resume", "mein Lauf", "--json"]) == 0
    assert lasting(folder / "mein Lauf") == lasting(folder / "straight")


def test_a_second_signal_ends_the_run_at_once(folder, capsys, monkeypatch):
    def insist(self, done, news):
        if done == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "show", insist)
        assert main(["run", *SETTINGS, "--out", "run"]) == 130
    assert refusal(capsys) == "stopped at once; resume from the latest checkpoint with: sparring resume run"
    assert main(["resume", "run", "--json"]) == 0


def test_before_the_first_round_a_signal_ends_the_run_at_once(folder, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sparring.data.Synthetic.load", lambda _: signal.raise_signal(signal.SIGTERM))
        assert main(["run", *SETTINGS, "--out", "run"]) == 130
    assert refusal(capsys) == "interrupted"
    assert os.listdir(folder) == []


def test_a_full_disk_is_one_line(folder, capsys):
    with small_files(10):
        assert main(["run", *SETTINGS, "--out", "run"]) == 1
    line = refusal(capsys)
    assert line == "run/manifest.json: file too large; make room or choose another folder, saved files are intact"
    played(capsys, "--out", "run")


MISTAKES = [
    (["federation.round=3"], "federation has no key 'round'; did you mean 'rounds'?"),
    (["attack.name=imp"], "unknown attack 'imp'; did you mean 'lmp'?"),
    (["attack.malicious=9"], "attack.malicious is 9; there are 8 clients"),
    (
        ["federation.rounds=1e400"],
        "federation.rounds=1e400: line 1: 1e400 is too large or not finite; use another number",
    ),
    (["federation.lr=.nan"], "federation.lr=.nan: line 1: .nan is too large or not finite; use another number"),
    (["federation.clients=-8"], "federation.clients is -8; it must be greater than or equal to 1"),
    (["execution.device=tpu"], "execution.device is 'tpu'; it must be 'cpu' or 'cuda'"),
    (["defense.name=os.system"], "unknown defense 'os.system'; known: "),
    (["seed=!!python/name:os.system"], "seed=!!python/name:os.system: line 1: a tag; write plain text"),
    (
        ["one.yaml", "two.yaml"],
        "'two.yaml' is not a setting; write section.key=value, and at most one configuration file",
    ),
    (["krum"], "'krum' is not a file; write defense=krum"),
    (["defense", "Krum"], "'defense' is not a file; write defense=Krum"),
    (["federation.rounds", "10"], "'federation.rounds' is not a file; write federation.rounds=10"),
    (["rounds"], "'rounds' is not a file; write federation.rounds=VALUE"),
    (["--rounds", "10"], "No such option --rounds; write federation.rounds=10"),
    (["--learning-rate=0.1"], "No such option --learning-rate; write federation.lr=0.1"),
    (["--defense", "krum"], "No such option --defense; write defense=krum"),
    (["--seeds", "0"], "--seeds is '0'; give from two to 1000 seeds, as in 0..4 or 0,2,5"),
    (["--seeds", "0..x"], "--seeds is '0..x'; give from two to 1000 seeds"),
    (["--seeds", "0..4", "seed=3"], "seed is 3, and --seeds is given; choose one"),
    (["--seeds", "0..4", "--resume"], "--seeds is given; leave out --resume, --overwrite and --tensorboard"),
    (["--jobs", "2"], "--jobs is given, and one run uses one process; use --seeds for several runs"),
    (["federation.rounds=1e3"], "federation.rounds is 1000.0; it must be a whole number, as in 1000"),
    (["missing.yaml"], "missing.yaml: no such file or directory; give a configuration file"),
    (["model.name=lenet"], "lenet: inputs of shape [6]; use images of at least 12×12 pixels"),
    (["data.root_size=161"], "root data size is 161; it must be 1 to 160, the number of examples"),
]


@pytest.mark.parametrize(("words", "line"), MISTAKES, ids=[" ".join(words) for words, _ in MISTAKES])
def test_a_mistake_is_one_line_and_nothing_is_written(folder, capsys, words, line):
    assert main(["run", *SETTINGS, *words]) in (1, 2)
    assert refusal(capsys).startswith(line)
    assert os.listdir(folder) == []


BACKDOORED = ("data={name: digits, size: 28, root_size: 20}", "model.name=lenet", "attack={name: bfl, malicious: 1}")
MISFITS = [
    (["attack.target=10"], "bfl.target is 10; with 10 classes it must be 0 to 9"),
    (["attack.source=-1"], "bfl.source is -1; it must be at least 0"),
    (
        ["attack={name: dba, malicious: 1, trigger: {name: bars, rows: [0, 28], columns: [0, 6], length: 4}}"],
        "trigger bars: rows 28 to 28, columns 0 to 3 are outside an image of 28×28 pixels; "
        "move it or use larger images",
    ),
    (
        ["attack.trigger={name: square, column: -30}"],
        "trigger square: rows 24 to 26, columns -2 to 0 are outside an image of 28×28 pixels; "
        "move it or use larger images",
    ),
    (["data={name: synthetic}", "model.name=mlp"], "trigger bars: the inputs have shape "),
    (
        ["attack.trigger={name: learned, file: missing.safetensors}"],
        "trigger.file is 'missing.safetensors'; there is no such file, write one with save_trigger",
    ),
    (
        ["post_training={name: prun, count: 16}"],
        "prun: count=16; layer '3' has 16 channels, use count < 16",
    ),
    (
        ["post_training.name=fine_pruning", "data.root_size=0"],
        "post_training FinePruning needs root data; use data.root_size >= 1",
    ),
    (
        ["post_training.name=neuroclip", "model.name=logistic"],
        "neuroclip: the model has no hidden activations; use one with a hidden layer",
    ),
]


@pytest.mark.parametrize(("words", "line"), MISFITS, ids=[" ".join(words) for words, _ in MISFITS])
def test_a_backdoor_or_a_repair_that_does_not_fit_is_one_line_and_nothing_is_written(folder, capsys, words, line):
    assert main(["run", *SETTINGS, *BACKDOORED, *words]) == 2
    assert refusal(capsys).startswith(line)
    assert os.listdir(folder) == []


WRONG = {
    "missing": lambda path: None,
    "pickle": lambda path: path.write_bytes(pickle.dumps({"side": "defense"})),
    "truncated": lambda path: path.write_bytes(path.with_name("whole").read_bytes()[:-4]),
    "attacker's": lambda path: save_policy(path, trained(0.5, inputs=28)),
    "another model's": lambda path: written(path, 0.0, 0.0, inputs=99),
}


@pytest.mark.parametrize("write", WRONG.values(), ids=WRONG)
def test_a_defender_s_policy_that_cannot_be_played_is_refused_in_one_line(folder, capsys, write):
    written(folder / "whole", 0.0, 0.0, inputs=28)
    write(folder / "policy")
    assert main(["run", *SETTINGS, "defense={name: learned, policy: policy}"]) == 2
    assert refusal(capsys).startswith("defense.policy is 'policy'")


def test_a_defender_s_policy_is_played(folder, capsys):
    written(folder / "whole", 0.0, 0.0, inputs=28)
    assert played(capsys, "defense={name: learned, policy: whole}")["rounds"] == 8


HOSTILE = {
    "tag": b"seed: !!python/object/apply:os.mkdir [sprung]\n",
    "alias bomb": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "nesting": b"[" * (1 << 20),
    "size": b"#" * (2 << 20),
    "pickle": pickle.dumps({"seed": 0}),
    "twice": b"seed: 0\nseed: 1\n",
    "class path": b"defense: {name: 'os:system'}\n",
    "infinity": b"federation: {lr: .inf}\n",
    "negative": b"federation: {rounds: -1}\n",
    "huge": b"federation: {rounds: 99999999999999999999999}\n",
    "list": b"- seed\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_configuration_is_refused_in_one_line(folder, capsys, content):
    (folder / "run.yaml").write_bytes(content)
    assert main(["run", "run.yaml"]) == 2
    refusal(capsys)
    assert os.listdir(folder) == ["run.yaml"]
