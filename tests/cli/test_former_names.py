"""On the command line a former name is a notice, once a command."""

import json

import pytest

from sparring.cli.main import main
from sparring.experiments.config.catalogues import CATALOGUES

TAKEN = "sparring: attack.taken is now called attack.lambda_choice; the old name is accepted until 0.4\n"
SMALL = """\
data: {name: synthetic, features: 6, examples: 300}
model: {name: logistic}
federation: {clients: 8, sampled: 4, rounds: 2}
"""


def test_an_option_is_told_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    printed = []
    for option in ("taken", "lambda_choice"):
        words = ["attack.name=lmp", "attack.malicious=2", f"attack.{option}=best"]
        assert main(["run", *words, "--dry-run", "--json"]) == 0
        printed.append(capsys.readouterr())
    former, present = printed
    assert (former.err, present.err) == (TAKEN, "")
    assert json.loads(former.out)["digest"] == json.loads(present.out)["digest"]


def test_a_sweep_tells_an_option_once_however_many_runs_have_it(tmp_path, capsys):
    file = tmp_path / "sweep.yaml"
    base = "".join(f"  {line}\n" for line in SMALL.splitlines())
    file.write_text(f"base:\n{base}axes:\n  attack: [{{name: lmp, malicious: 2, taken: best}}]\n  seed: [0, 1]\n")
    assert main(["sweep", str(file), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert capsys.readouterr().err.count("is now called") == 1
    file.write_text(file.read_text().replace("taken", "lambda_choice"))
    assert main(["sweep", str(file), "--out", str(tmp_path / "out"), "--jobs", "1", "--dry-run", "--json"]) == 0
    again = capsys.readouterr()
    assert again.err == ""
    assert (json.loads(again.out)["complete"], json.loads(again.out)["due"]) == (2, 0)


def test_both_names_are_one_error(capsys):
    assert main(["run", "attack.name=lmp", "attack.taken=best", "attack.lambda_choice=best", "--dry-run"]) == 2
    message = "attack.taken is now called attack.lambda_choice, and both are given; leave out taken"
    assert capsys.readouterr().err == f"sparring: {message}\n"


@pytest.mark.parametrize("is_json", [True, False])
def test_poisons_are_listed_as_attacks(capsys, is_json):
    assert main(["list", "poisons", *(["--json"] if is_json else [])]) == 0
    out, err = capsys.readouterr()
    assert err == "sparring: poisons are now among the attacks; the old name is accepted until 0.4\n"
    assert all(name in out for name in CATALOGUES["attacks"])
