import json
import os
import signal
import subprocess
import sys
import time

from sparring.cli.main import main
from tests.cli.test_main import SCRIPT, refusal
from tests.experiments.small import SETTINGS, lasting


def test_a_process_that_is_interrupted_can_be_resumed(tmp_path, capsys):
    settings = [*SETTINGS, "federation.rounds=1000", "evaluation.every=500"]
    command = [sys.executable, "-c", SCRIPT, "run", *settings, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    records = tmp_path / "run/rounds.jsonl"
    while process.poll() is None and not (records.exists() and records.stat().st_size > 1000):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1].endswith(f"resume with: sparring resume {tmp_path / 'run'}")
    assert records.read_bytes().endswith(b"\n")
    assert main(["resume", str(tmp_path / "run"), "--json"]) == 0
    resumed = json.loads(capsys.readouterr().out)
    assert main(["run", *settings, "--out", str(tmp_path / "straight"), "--json"]) == 0
    straight = json.loads(capsys.readouterr().out)
    assert lasting(tmp_path / "run") == lasting(tmp_path / "straight")
    assert resumed["accuracy"] == straight["accuracy"]
    assert resumed["run"] == str(tmp_path / "run")


def test_what_is_no_run_cannot_be_resumed(tmp_path, capsys):
    assert main(["resume", str(tmp_path)]) == 2
    assert refusal(capsys) == f"{tmp_path} is not a run folder; give one that `sparring run` created"
    assert os.listdir(tmp_path) == []


def test_a_damaged_checkpoint_is_told_of(tmp_path, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(
            "sparring.cli.progress.Lines.show",
            lambda self, done, news: done == 5 and signal.raise_signal(signal.SIGINT),
        )
        assert main(["run", *SETTINGS, "--out", str(tmp_path / "run")]) == 130
    os.truncate(tmp_path / "run/checkpoint.safetensors", 100)
    capsys.readouterr()
    assert main(["resume", str(tmp_path / "run"), "--json"]) == 0
    assert (
        f"sparring: no checkpoint in {tmp_path / 'run'} is intact; the run starts from the beginning\n"
        in capsys.readouterr().err
    )
