import json

import pytest

from sparring.cli.list import KINDS
from sparring.cli.main import main
from sparring.experiments.config.catalogues import CATALOGUES
from sparring.experiments.reproductions import CALCULATIONS, PRESETS
from tests.cli.test_main import refusal


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
    assert ipm["options"][0] == {"name": "scale", "type": "float", "required": False, "default": 5.0}
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
