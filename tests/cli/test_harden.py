import json

import pytest

import sparring.cli.harden
from sparring.cli.main import main
from tests.cli.test_main import refusal
from tests.experiments.hardening.asking import hardened

FEDERATION = ["harden", "data.name=digits", "model.name=logistic", "federation.clients=50"]


@pytest.fixture
def calls(monkeypatch):
    """Let nothing be learned; return what each call was asked for, and where."""
    calls = []

    def told(request, out, **_):
        calls.append((request, out))
        return hardened()

    monkeypatch.setattr(sparring.cli.harden, "harden", told)
    return calls


def test_the_request_is_read_from_settings_and_options(calls, capsys):
    words = ["--domain", "meta_rl", "--budget", "4m", "--out", "d.safetensors", "--knowledge", "white_box"]
    assert main([*FEDERATION, "harden.actions=published", *words]) == 0
    ((request, out),) = calls
    assert (request.domain, request.effort, str(out)) == ({"name": "meta_rl"}, 240.0, "d.safetensors")
    assert (request.settings.actions, request.settings.knowledge) == ("published", "white_box")
    assert capsys.readouterr().err.startswith("sparring: hardening of logistic on digits against the domain meta_rl")


def test_the_verdict_is_told_in_a_small_terminal(calls, capsys):
    assert main(FEDERATION) == 0
    out = capsys.readouterr().out
    said = " ".join(out.split())
    assert "The learned policy is better than the best constant action: the difference is +0.100" in said
    assert "Recommended: the learned policy" in said
    assert max(map(len, out.splitlines())) <= 80


def test_the_verdict_is_one_object(calls, capsys):
    assert main([*FEDERATION, "--rounds", "500", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["recommended"] == "policy"
    assert [row["name"] for row in printed["defenses"]][:2] == ["policy", "constant"]
    assert calls[0][0].effort == 500


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--budget", "4m", "--rounds", "9"], "--budget and --rounds are both given; choose one"),
        (["--domain", "hardn"], "unknown domain 'hardn'; did you mean 'harden'?"),
        (["defense.name=krum"], "defense is given; leave it out, the defense is what it learns"),
        (["--knowledge", "all"], "harden.knowledge is 'all'"),
    ],
)
def test_wrong_words_are_one_line(words, reason, calls, capsys):
    assert main([*FEDERATION, *words]) == 2
    assert reason in refusal(capsys)
    assert not calls
