import json
import re

import pytest

from sparring.cli.main import main
from sparring.conformance import CHECKS
from tests.cli import unlike
from tests.cli.test_main import refusal
from tests.experiments.plugging import MODULE, SOURCE, write_plugin

FRAGILE = SOURCE.replace("return low / 2 + high / 2", "return rows.mean(dim=0)")
"""Its sum overflows."""
CLASSES = {
    "Shrinking": ("attacks", "craft"),
    "Darker": ("attacks", "poison"),
    "Raised": ("triggers", "stamp"),
    "Rounded": ("post-training", "repair"),
    "Midrange": ("defenses", "aggregate"),
    "Dealt": ("partitions", "assign"),
    "Narrow": ("models", "module"),
}


@pytest.mark.parametrize(("name", "kind", "verb"), [(name, *told) for name, told in CLASSES.items()])
def test_a_class_that_conforms_passes(tmp_path, monkeypatch, capsys, name, kind, verb):
    write_plugin(tmp_path, monkeypatch)
    assert main(["check-plugin", f"{MODULE}:{name}", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["plugin"], printed["kind"], printed["passes"]) == (f"{MODULE}:{name}", kind, True)
    assert [each["check"] for each in printed["checks"]] == [check.__name__.replace("_", " ") for check in CHECKS[verb]]


def test_each_check_is_a_line_and_what_fails_is_explained_below_it(tmp_path, monkeypatch, capsys):
    write_plugin(tmp_path, monkeypatch, FRAGILE)
    assert main(["check-plugin", f"{MODULE}:Midrange"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    words = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert words.count("passes") + words.count("FAILS") == len(CHECKS["aggregate"])
    place = lines.index("FAILS   every round has a finite answer")
    assert lines[place + 1].startswith("          the largest numbers, 0 assumed malicious: defense Midrange returned")
    passing = words.count("passes")
    assert lines[-1] == f"{passing} of {len(CHECKS['aggregate'])} checks of defenses pass"


def test_of_many_failures_a_few_are_shown(tmp_path, monkeypatch, capsys):
    write_plugin(tmp_path, monkeypatch, SOURCE.replace("return low / 2 + high / 2", "return low + next(COUNT)") + COUNT)
    assert main(["check-plugin", f"{MODULE}:Midrange"]) == 1
    assert re.search(r"^ +and \d+ more; --json prints all$", capsys.readouterr().out, re.MULTILINE)


COUNT = "import itertools\nCOUNT = itertools.count(1)\n"


def test_a_model_that_a_backend_trains_in_another_way_fails_and_its_layers_are_named(tmp_path, monkeypatch, capsys):
    write_plugin(tmp_path, monkeypatch, unlike.SOURCE, unlike.MODULE)
    assert main(["check-plugin", f"{unlike.MODULE}:Net"]) == 1
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("FAILS   every backend computes the same updates")
    assert lines[place + 1] == "          gray images: batched differs from sequential in '1', '2' (1 examples"
    assert [line for line in lines if line.startswith("FAILS")] == [lines[place]]


def test_options_are_given_as_a_run_takes_them(tmp_path, monkeypatch, capsys):
    write_plugin(tmp_path, monkeypatch)
    assert main(["check-plugin", f"{MODULE}:Behind", "defense.inner.name=trimmed_mean", "--json"]) == 0
    assert main(["check-plugin", f"{MODULE}:Behind", "defense.inner.name=midrange", "--plugin", MODULE]) == 0
    capsys.readouterr()
    assert main(["check-plugin", f"{MODULE}:Behind"]) == 2
    assert refusal(capsys) == f"defense '{MODULE}:Behind' lacks 'inner'; set defense.inner"


def test_ours_are_checked_like_any_other(capsys):
    assert main(["check-plugin", "sparring.data.datasets.digits:Digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "datasets"


@pytest.mark.parametrize(
    ("path", "code", "line"),
    [
        ("nowhere", 2, "'nowhere' is not a class; write it as in package.module:Class"),
        ("nowhere:Midrange", 2, "there is no module 'nowhere'; install it, or change to the folder that holds it"),
        (
            f"{MODULE}:Nowhere",
            2,
            f"plug-in {MODULE} has no class 'Nowhere'; known: Midrange, Behind, ",
        ),
        (f"{MODULE}:midrange", 2, f"plug-in {MODULE} has no class 'midrange'; did you mean 'Midrange'?"),
        ("sparring.random:stream", 1, "plug-in sparring.random: 'stream' is not a dataclass; "),
        ("sparring.contracts:Recipe", 1, "plug-in sparring.contracts: 'Recipe' is not a dataclass; "),
        (
            "sparring.contracts:BlackBoxView",
            1,
            "BlackBoxView has 0 of these methods; it must have one: craft, poison, ",
        ),
    ],
)
def test_what_cannot_be_checked_is_one_line(tmp_path, monkeypatch, capsys, path, code, line):
    write_plugin(tmp_path, monkeypatch)
    assert main(["check-plugin", path]) == code
    assert refusal(capsys).startswith(line)
