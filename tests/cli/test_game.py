import json
import re

import pytest

from sparring.cli.main import main
from tests.cli.test_main import refusal
from tests.experiments.report.studies import EVIL, played


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return played(tmp_path_factory.mktemp("game") / "sweep")


def game(*words):
    return main(["game", *map(str, words)])


@pytest.mark.parametrize("width", [60, 80])
def test_the_equilibrium_is_printed(folder, capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert game(folder) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "If the server commits to one defense," in out
    assert all(word in out for word in ("value", "server", "attackers", "exploitability", "median", "mean"))
    assert "There are 2 common seeds" in " ".join(out.split())


def test_the_numbers_are_available_as_json(folder, capsys):
    assert game(folder, "--accuracy-weight", 2, "--average", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["payoff"] == "2 × (1 - accuracy) + backdoor accuracy, averaged over rounds"
    assert found["seeds"] == [0, 1]
    assert found["commitment"] in found["defenses"]
    assert sum(each["value"] for each in found["attacks"].values()) == pytest.approx(1)
    worst = {name: each["worst"]["value"] for name, each in found["defenses"].items()}
    assert min(worst.values()) >= found["value"]["value"] - 1e-9


def test_the_page_has_everything_and_escapes_names(folder, tmp_path, capsys):
    page = tmp_path / "game.html"
    assert game(folder, "--html", page) == 0
    assert f"written: {page}" in capsys.readouterr().out
    html = page.read_text()
    assert EVIL not in html
    assert re.search(r"value of the game</dt><dd>0\.\d{3}", html)
    assert f"sparring game {folder}" in html


def test_a_folder_without_both_axes_is_refused(tmp_path, capsys):
    assert game(tmp_path) == 2
    assert "holds neither a sweep nor a run" in refusal(capsys)


def test_weights_and_labels_are_checked(folder, capsys):
    assert game(folder, "--backdoor-weight", -1) == 2
    assert refusal(capsys) == "--backdoor-weight is -1; it must be at least 0"
    assert game(folder, "--without", "krum") == 2
    assert refusal(capsys) == "--without krum: no attack or defense of the sweep has this label"
