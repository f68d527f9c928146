import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.experiments import apply_overrides, digest, parse_config
from sparring.experiments.report.commands import command_to_repeat, list_settings
from sparring.experiments.runs.manifest import Manifest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
DOCUMENTS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@given(DOCUMENTS)
def test_settings_make_the_document_again(document):
    assert apply_overrides({}, list_settings(document)) == document


@pytest.mark.parametrize(
    "text", ["null", "1e3", "0x10", "true", "", "a b", 'say "hi"', "C:\\x", "größer", "😀", "\x1b[2J"]
)
def test_text_stays_text(text):
    assert apply_overrides({}, list_settings({"data": {"path": text}})) == {"data": {"path": text}}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"attack": {"name": "ipm", "malicious": 20}, "data": {"root_bias": 0.1}},
        {"attacks": [{"name": "ipm", "malicious": 2}, {"name": "label_flip", "malicious": 3, "start": 5}]},
        {"defense": {"name": "clipped", "max_norm": 1.0, "inner": {"name": "median"}}, "federation": {"lr": 1e-5}},
    ],
)
def test_a_command_plays_the_same_run(document):
    config = parse_config(document)
    program, verb, *words = shlex.split(command_to_repeat(Manifest(config, {}, {})))
    assert (program, verb) == ("sparring", "run")
    assert digest(parse_config(apply_overrides({}, words))) == digest(config)


def test_a_command_names_the_plug_ins():
    command = command_to_repeat(Manifest(parse_config({}), {}, {"my_rules": "1.0"}))
    assert command.startswith("sparring run --plugin my_rules ")
