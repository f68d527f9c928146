"""The reference of the configuration: complete, with a meaning for each key, and true to what a configuration takes."""

import re
from pathlib import Path

import pytest

import sparring
from sparring.experiments import parse_config, to_document
from sparring.experiments.config.central_schema import CENTRAL_SINCE
from sparring.experiments.config.schema import SINCE
from tools.site.keys import CENTRAL, HERE, list_keys, write_keys_page
from tools.site.members import members

KEYS = {key.name: key for entries in list_keys().values() for key in entries}
CENTRAL_KEYS = {key.name: key for entries in list_keys(CENTRAL).values() for key in entries}
VERSION = re.compile(r"\d+\.\d+\.\d+")


def numbers(version):
    return tuple(map(int, version.split(".")))


def test_the_reference_has_every_key_that_a_configuration_written_in_full_has():
    document = to_document(parse_config({"attack": {"name": "ipm", "malicious": 2}}))
    settings = {
        name: section for name, section in document.items() if name not in ("model", "defense", "post_training")
    }
    settings["attacks"] = document["attacks"][0] | {"local_steps": 1, "local_epochs": 1, "batch": 1, "lr": 1}
    sections = {name: section for name, section in settings.items() if isinstance(section, dict)}
    written = {f"{name}.{key}" for name, section in sections.items() for key in section}
    options = {"data.size", "attacks.scale", "attacks.of"}
    assert KEYS.keys() == (written - options) | {"seed", "model", "defense", "post_training"}


def test_the_reference_has_every_key_of_a_central_training():
    document = to_document(parse_config({"kind": "central", "data": {"only": [1, 7]}}))
    sections = {name: section for name, section in document.items() if name not in ("model", "attack", "defense")}
    written = {f"{name}.{key}" for name, section in sections.items() if isinstance(section, dict) for key in section}
    assert CENTRAL_KEYS.keys() == (written - {"data.size"}) | {"seed", "model", "attack", "defense"}


@pytest.mark.parametrize("key", [*KEYS.values(), *CENTRAL_KEYS.values()], ids=lambda key: key.name)
def test_every_key_has_a_type_and_a_meaning(key):
    assert key.type
    assert key.meaning.endswith(".")


def test_every_key_says_since_which_version_it_matters():
    assert SINCE.keys() == KEYS.keys()
    assert CENTRAL_SINCE.keys() == CENTRAL_KEYS.keys()
    assert all(VERSION.fullmatch(version) for version in (*SINCE.values(), *CENTRAL_SINCE.values()))
    released = VERSION.match(sparring.__version__)
    assert all(numbers(version) <= numbers(released[0]) for version in SINCE.values())


def test_types_are_told_in_words_with_their_bounds():
    assert KEYS["federation.clients"].type == "integer ≥ 1, ≤ 1,000,000"
    assert KEYS["data.root_bias"].type == "number ≥ 0, ≤ 1 or null"
    assert KEYS["evaluation.on"].type == "`test` or `validation`"
    assert KEYS["threat.mastermind"].type == "true or false"


def test_defaults_are_those_of_a_configuration_that_says_nothing():
    document = to_document(parse_config({}))
    assert KEYS["federation.lr"].default == f"`{document['federation']['lr']}`"
    assert KEYS["data.name"].default == f'`"{document["data"]["name"]}"`'
    assert KEYS["defense"].default == f'`"{document["defense"]["name"]}"`'
    assert KEYS["attacks.malicious"].default == "must be given"


def test_what_has_no_page_of_its_own_is_described():
    page = write_keys_page()
    described = [member for kind in HERE for member in members(kind)]
    assert all(f"### {', '.join(f'`{name}`' for name in member.names)}" in page for member in described)
    assert all(f"| `{option.name}` |" in page for member in described for option in member.options)


def test_a_key_has_one_row_of_five_cells():
    rows = [line for line in write_keys_page().splitlines() if line.startswith("| `federation.lr` |")]
    assert len(rows) == 1
    assert rows[0].count(" | ") == 4


def test_links_within_the_page_lead_to_its_headings():
    page = write_keys_page()
    assert all(f"{{ #{anchor} }}" in page for anchor in re.findall(r"\]\(#([\w-]+)\)", page))
    pages = {Path(link).parts[1] for link in re.findall(r"\]\((\.\./[^)]*)\)", page)}
    assert pages == {"attacks", "rules"}
