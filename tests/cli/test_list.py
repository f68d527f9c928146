import json

import pytest

from sparring.cli.list import KINDS
from sparring.cli.main import main
from sparring.experiments.config.catalogues import CATALOGUES
from sparring.experiments.reproductions import CALCULATIONS, PRESETS
from tests.cli.test_main import refusal
from tests.experiments.plugging import MODULE, write_plugin


def test_every_member_of_every_catalogue_is_listed_as_json(capsys):
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {kind: [member["name"] for member in members] for kind, members in listed.items()} == {
        **{kind: list(table) for kind, table in CATALOGUES.tables.items()},
        "presets": [*PRESETS, *CALCULATIONS],
    }


def test_a_member_is_listed_with_its_options(capsys):
    assert main(["list", "attacks", "--json"]) == 0
    (ipm,) = [member for member in json.loads(capsys.readouterr().out)["attacks"] if member["name"] == "ipm"]
    said = {"meaning": "What the reversed mean is multiplied by: the published ε, above 0.", "allowed": ["a number"]}
    assert ipm["options"][0] == {"name": "scale", "type": "float", "required": False, "default": 5.0, **said}
    assert [option["name"] for option in ipm["options"]] == ["scale", "of"]
    assert ipm["description"].startswith("Submit the benign mean")


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_fits_into_80_columns(capsys, monkeypatch, kind):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["list", kind]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(len(line.rstrip()) <= 80 for line in out.splitlines())
    assert all(name in out for name in ((*PRESETS, *CALCULATIONS) if kind == "presets" else CATALOGUES[kind]))


@pytest.mark.parametrize(("kind", "meant"), [("atacks", "attacks"), ("preset", "presets")])
def test_an_unknown_kind_is_one_line(capsys, kind, meant):
    assert main(["list", kind]) == 2
    assert refusal(capsys) == f"unknown kind {kind!r}; did you mean {meant!r}?"


def test_a_preset_is_listed_with_its_source(capsys):
    assert main(["list", "presets", "--json"]) == 0
    (listed,) = [each for each in json.loads(capsys.readouterr().out)["presets"] if each["name"] == "rla-fig3"]
    assert listed["description"].endswith("(Li et al., 2022, figure 3)")


def test_a_default_that_is_a_member_itself_is_written_as_a_section(capsys):
    assert main(["list", "attacks", "--json"]) == 0
    (bfl,) = [each for each in json.loads(capsys.readouterr().out)["attacks"] if each["name"] == "bfl"]
    (trigger,) = [option for option in bfl["options"] if option["name"] == "trigger"]
    assert trigger["default"]["name"] == "bars"
    assert main(["list", "attacks"]) == 0
    assert "trigger={name: bars," in capsys.readouterr().out


def described(capsys, *words):
    assert main(["list", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_name_is_described_with_its_facts_and_options(capsys):
    lines = described(capsys, "krum").splitlines()
    assert lines[:2] == ["name        krum", "kind        defenses"]
    assert "cost        O(n^2 d) (n updates of d parameters, f of them malicious)" in lines
    assert "assumption  n >= 2f + 3, and benign updates lie close together" in lines
    assert "use         defense.name=krum" in lines
    assert any(line.startswith("paper       Blanchard et al., 2017, ") for line in lines)
    assert "    Takes published or released." in lines[lines.index("defense.variant=published") :]


def test_a_described_name_is_one_json_object(capsys):
    entry = json.loads(described(capsys, "bars", "--json"))
    assert (entry["kind"], entry["name"]) == ("triggers", "bars")
    assert entry["paper"].startswith("Xie, Huang et al., 2020, ")
    assert [option["name"] for option in entry["options"]] == ["rows", "columns", "length", "color", "part"]
    assert all(option["meaning"] and option["allowed"] for option in entry["options"])


def test_a_name_says_what_else_it_is_called(capsys):
    assert described(capsys, "fedavg").startswith("name        fedavg, also mean\n")


def test_a_preset_is_described_by_how_it_is_reproduced(capsys):
    assert "sparring reproduce rla-fig3" in described(capsys, "rla-fig3")


def test_a_name_may_be_written_with_hyphens_and_capitals(capsys):
    assert described(capsys, "Trimmed-Mean") == described(capsys, "defenses", "trimmed_mean")


def test_a_member_of_a_plug_in_need_not_state_anything(tmp_path, monkeypatch, capsys):
    write_plugin(tmp_path, monkeypatch)
    out = described(capsys, "midrange", "--plugin", MODULE)
    assert "use         defense.name=midrange" in out
    assert "cost" not in out


@pytest.mark.parametrize("width", [60, 80])
def test_every_member_fits_into_a_narrow_terminal(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for kind, table in CATALOGUES.tables.items():
        for name in table:
            assert [line for line in described(capsys, kind, name).splitlines() if len(line) > width] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["none"],
            "'none' is in attacks, triggers, perturbations, purifications and post-training; say which, as in: "
            "sparring list attacks none",
        ),
        (["krumm"], "unknown name 'krumm'; did you mean 'krum'?"),
        (["defenses", "krumm"], "unknown name 'krumm' in defenses; did you mean 'krum'?"),
        (["defences", "krum"], "unknown kind 'defences'; did you mean 'defenses'?"),
    ],
)
def test_a_name_that_is_not_clear_is_one_line(capsys, words, message):
    assert main(["list", *words]) == 2
    assert refusal(capsys) == message
