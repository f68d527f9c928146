import math
import os
import pickle  # noqa: TID251  (to see it refused)
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.errors import ConfigError
from sparring.experiments.config.yaml_reader import (
    DEEPEST,
    LARGEST_FILE,
    LARGEST_INTEGER,
    LONGEST_SCALAR,
    parse_document,
    parse_value,
    read_document,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-3", -3),
        ("+3", 3),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("none", "none"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("2026-01-01", "2026-01-01"),
        ("[1, two, [3.0]]", [1, "two", [3.0]]),
        ("{name: median, f: 1}", {"name": "median", "f": 1}),
        (str(LARGEST_INTEGER), LARGEST_INTEGER),
    ],
)
def test_values_are_those_of_yaml_1_2(text, value):
    read = parse_value("value", text)
    assert read == value
    assert type(read) is type(value)


def test_a_document_has_sections():
    text = "seed: 3\nattacks:\n  - name: ipm\n    scale: 1e1\n  - {name: lmp}\ndata:\n"
    expected = {"seed": 3, "attacks": [{"name": "ipm", "scale": 10.0}, {"name": "lmp"}], "data": None}
    assert parse_document("run.yaml", text) == expected


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_document_has_no_section(text):
    assert parse_document("run.yaml", text) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2: 'a' occurs twice; write it once"),
        ("a: {b: 1, b: 2}", "line 1: 'b' occurs twice; write it once"),
        ("a: &x 1\nb: *x", "line 1: an anchor or alias; write the value out"),
        ("a: *x", "line 1: an anchor or alias; write the value out"),
        ("a: !!int 3", "line 1: a tag; write plain text, numbers, lists and sections"),
        ("a: ! x", "line 1: a tag; write plain text, numbers, lists and sections"),
        (
            "!!python/object/apply:os.system ['false']",
            "line 1: a tag; write plain text, numbers, lists and sections",
        ),
        ("a: .nan", "line 1: .nan is too large or not finite; use another number"),
        ("a: -.inf", "line 1: -.inf is too large or not finite; use another number"),
        ("a: 1e999", "line 1: 1e999 is too large or not finite; use another number"),
        (f"a: {LARGEST_INTEGER + 1}", "line 1: 9223372036854775808 is too large or not finite; use another number"),
        (f"a: -{'9' * 900}", "line 1: -9999999999999999999 is too large or not finite; use another number"),
        (f"a: {'9' * 5000}", f"line 1: a value of 5000 characters; use at most {LONGEST_SCALAR}"),
        ("1: x", "line 1: 1 as a key; keys must be text"),
        ("? [a]\n: b", "line 1: ['a'] as a key; keys must be text"),
        ("a: 1\n---\nb: 1", "line 3: a second document; write one"),
        ("a: [1", "line 1: expected ',' or ']', but got '<stream end>'"),
        ("a: b: c", "line 1: mapping values are not allowed here"),
        ("a: \x00", "unacceptable character #x0000: special characters are not allowed"),
        ("3", "a int at the top; write sections, as in `seed: 0`"),
        ("[seed]", "a list at the top; write sections, as in `seed: 0`"),
    ],
)
def test_what_is_more_or_less_than_plain_data_is_refused_in_one_line(text, message):
    with pytest.raises(ConfigError) as raised:
        parse_document("run.yaml", text)
    assert str(raised.value) == f"run.yaml: {message}"


@pytest.mark.parametrize("bomb", ["[" * 10**6, "{a: " * 10**5, "- " * 10**5, "? " * 10**5])
def test_deep_nesting_is_refused_before_it_is_followed(bomb):
    began = time.perf_counter()
    with pytest.raises(ConfigError, match=f"more than {DEEPEST} nested sections or lists"):
        parse_value("value", bomb)
    assert time.perf_counter() - began < 5


def test_an_alias_bomb_is_refused_before_it_goes_off():
    lines = ["a: &a [x, x]"] + [f"{after}: &{after} [*{before}, *{before}]" for before, after in pairwise("abcdefgh")]
    with pytest.raises(ConfigError, match="an anchor or alias"):
        parse_document("run.yaml", "\n".join(lines))


@given(st.text())
def test_any_text_is_read_or_refused(text):
    refusals = []
    try:
        parse_document("run.yaml", text)
    except ConfigError as error:
        refusals.append(str(error))
    assert all(refusal.startswith("run.yaml: ") and "\n" not in refusal for refusal in refusals)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63) + 1, 2**63 - 1) | st.booleans())
def test_numbers_as_python_writes_them_are_read_back(number):
    read = parse_value("value", str(number))
    assert read == number
    assert type(read) is type(number)
    assert math.copysign(1, read) == math.copysign(1, number)


def test_a_file_is_read_as_utf_8_wherever_it_lies(tmp_path):
    path = tmp_path / "Prüfung 1" / "配置.yaml"
    path.parent.mkdir()
    path.write_bytes("\ufeffnote: größer\n".encode())
    assert read_document(path) == {"note": "größer"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff", "byte 3 is not UTF-8; save the file as UTF-8"),
        (b" " * (LARGEST_FILE + 1), f"more than {LARGEST_FILE} bytes; a configuration is smaller"),
        (pickle.dumps({"seed": 0}), "byte 0 is not UTF-8; save the file as UTF-8"),
    ],
    ids=["latin", "huge", "pickle"],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, message):
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        read_document(path)
    assert str(raised.value) == f"{path}: {message}"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.yaml: no such file or directory; give a configuration file"):
        read_document(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="is a directory; give a configuration file"):
        read_document(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a file without an end")
def test_a_file_without_an_end_is_not_read_to_it(tmp_path):
    endless = tmp_path / "run.yaml"
    endless.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="a configuration is smaller"):
        read_document(endless)
