import subprocess
import sys

import pytest

from sparring.cli.completion import MEMBERS, NAMED, PRESETS, list_keys, list_names
from sparring.experiments import CATALOGUES, apply_overrides, parse_config
from sparring.experiments.config.parse import SECTIONS
from sparring.experiments.config.parse_central import CENTRAL_SECTIONS
from sparring.experiments.reproductions import CALCULATIONS
from sparring.experiments.reproductions import PRESETS as ALL_PRESETS
from tests.cli.test_main import SCRIPT

WITHOUT_TORCH = SCRIPT.replace("import sys;", "import sys; sys.modules['torch'] = None;")


def completed(text, *, shell="zsh", script=WITHOUT_TORCH):
    """Return what a shell is offered for the last word of a line."""
    bash = {"COMP_WORDS": text, "COMP_CWORD": str(len(text.split()) - (not text.endswith(" ")))}
    asked = bash if shell == "bash" else {"_TYPER_COMPLETE_ARGS": text}
    environment = {"_SPARRING_COMPLETE": f"complete_{shell}", "PYTHONPATH": ":".join(sys.path), **asked}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    return done.stdout


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("sparring re", ("resume", "reproduce", "report")),
        ("sparring run federation.r", ("federation.rounds=",)),
        ("sparring run defense=multi", ("defense=multi_krum",)),
        ("sparring run data.partition=dir", ("data.partition=dirichlet",)),
        ("sparring audit defense.name=kr", ("defense.name=krum",)),
        ("sparring list att", ("attacks",)),
        ("sparring list kru", ("krum",)),
        ("sparring list bat", ("batched",)),
        ("sparring list defenses multi", ("multi_krum",)),
        ("sparring list presets msg", ("msg-table1", "msg-table4", "msg-table7", "msg-theory")),
        ("sparring reproduce msg", ("msg-table1", "msg-table4", "msg-table7", "msg-theory")),
    ],
)
def test_commands_keys_and_names_are_completed_without_torch(text, offered):
    out = completed(text)
    assert all(each in out for each in offered)
    assert "krum" in offered[0] or "krum" not in out


@pytest.mark.parametrize(
    ("text", "offered"), [("sparring run defense = multi", "multi_krum"), ("sparring sw", "sweep")]
)
def test_bash_hands_over_the_parts_of_a_setting_one_by_one(text, offered):
    assert completed(text, shell="bash").split() == [offered]


def test_the_names_that_are_read_from_the_source_are_those_of_the_catalogues():
    for kind in CATALOGUES:
        assert set(list_names(MEMBERS[kind])) == set(CATALOGUES[kind])
    assert MEMBERS.keys() == NAMED.keys() == CATALOGUES.tables.keys()
    assert list(list_names(PRESETS)) == [*ALL_PRESETS, *CALCULATIONS]


def test_the_keys_that_are_read_from_the_source_are_those_of_a_configuration():
    sections = {key.partition(".")[0] for key in list_keys()}
    assert sections == {*SECTIONS, *CENTRAL_SECTIONS, "seed", "kind", "model", "defense", "post_training"}
    assert parse_config(apply_overrides({}, ["kind=central", "training.lr=0.1", "threat.unknown=0.5"]))
    assert {"training.lr", "threat.unknown", "data.validation", "kind"} <= set(list_keys())
    assert parse_config(apply_overrides({}, ["federation.lr=0.1", "data.root_size=3", "threat.mastermind=true"]))
    assert {"federation.lr", "data.root_size", "threat.mastermind", "attack.trigger"} <= set(list_keys())
