import io
import os
import re
import subprocess
import sys

import pytest

import sparring
from sparring.cli.main import COMMANDS, main
from sparring.errors import ConfigError, DataError, Interrupted, PluginError, RunError, attribute_errors

SCRIPT = "import sys; from sparring.cli.main import main; sys.exit(main())"
"""What the console script does."""


def refusal(capsys):
    """Return the one line that a command leaves when it fails."""
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("sparring: ")
    return line.removeprefix("sparring: ")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(capsys, words):
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(name in out and summary in out for name, summary in COMMANDS.items())


def test_the_version_is_shown(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"sparring {sparring.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_explains_itself(capsys, command, option):
    assert main([command, option]) == 0
    assert f"sparring {command}" in capsys.readouterr().out


def test_help_does_not_wait_for_torch():
    probe = "import sys; from sparring.cli.main import main; main(['--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nope"], "No such command .*nope"),
        (["run", "--nope"], "No such option.*--nope"),
        (["resume"], "Missing argument .*RUN"),
        (["list", "a", "b", "c"], "Got unexpected extra argument .*c"),
        (["--json"], "No such option.*--json"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(capsys, words, line):
    assert main(words) == 2
    assert re.match(line, refusal(capsys))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("seed is -1; it must be at least 0"), 2),
        (RunError("run: no space left on device"), 1),
        (DataError("mnist: truncated"), 1),
        (PluginError("defense Mine returned None"), 1),
        (Interrupted("stopped after round 3"), 130),
    ],
)
def test_an_error_of_ours_is_one_line_and_its_exit_code(capsys, monkeypatch, error, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("sparring.cli.run.parse_config", fail)
    assert main(["run"]) == code
    assert refusal(capsys) == str(error)


def test_all_of_an_error_is_shown_when_that_is_asked_for(capsys, monkeypatch):
    def fail(*_, **__):
        with attribute_errors("defense Mine"):
            raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("sparring.cli.run.parse_config", fail)
    assert main(["run"]) == 1
    line = refusal(capsys)
    assert re.fullmatch(r"defense Mine raised ZeroDivisionError: by nothing \(.*test_main\.py:\d+\)", line)
    for words in (["run", "--traceback"], ["--traceback", "run"]):
        assert main(words) == 1
        err = capsys.readouterr().err
        assert err.startswith("Traceback (most recent call last):")
        assert 'raise ZeroDivisionError("by nothing")' in err
        assert err.splitlines()[-1] == f"sparring: {line}"


WRONG = [
    ["audit", "--defense", "sparring.defenses.aggregation.krum:Krumm"],
    ["audit", "--budget", "long"],
    ["check-plugin", "sparring.defenses.aggregation.krum:Krumm"],
    ["list", "--plugin", "sparring.defenses.aggregation.krum:Krumm"],
    ["list", "atacks"],
    ["report", "nowhere"],
    ["reproduce", "nowhere"],
    ["resume", "nowhere"],
    ["show", "nowhere"],
    ["run", "--out", "."],
    ["run", "nowhere.yaml"],
    ["sweep", "nowhere.yaml", "--out", "grid"],
    ["sweep", "nowhere.yaml"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_of_every_command_has_exit_code_2(capsys, monkeypatch, tmp_path, words):
    (tmp_path / "something").write_text("else")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    refusal(capsys)
    assert os.listdir(tmp_path) == ["something"]


def test_an_error_of_several_lines_is_put_into_one(capsys, monkeypatch):
    assert main(["run", "a\nb"]) == 2
    assert refusal(capsys).startswith("a; b: no such file or directory")


def test_an_interrupt_is_one_line_and_exit_code_130(capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sparring.cli.run.parse_config", interrupt)
    assert main(["run"]) == 130
    assert refusal(capsys) == "interrupted"


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("sparring.cli.run.parse_config", fail)
    with pytest.raises(ZeroDivisionError):
        main(["run"])


def test_names_that_the_terminal_cannot_show_are_shown_in_another_way(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["run", "größe 配置.yaml"]) == 2
    stream.seek(0)
    assert stream.read().startswith("sparring: größe \\u914d\\u7f6e.yaml: no such file or directory")


def test_a_process_ends_with_the_exit_code_in_any_locale():
    command = [sys.executable, "-c", SCRIPT, "run", "größe 配置.yaml"]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"no such file or directory" in done.stderr
