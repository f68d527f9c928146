import re

import pytest

from sparring.errors import ConfigError, UnknownName
from sparring.experiments.sweeps.axes import (
    apply_bundle,
    fill_labels,
    join_labels,
    make_label,
    read_axes,
    refuse_alike,
    replace_words,
)


def test_a_list_varies_one_key():
    assert read_axes({"seed": [0, 1]}) == {"seed": {"0": {"seed": 0}, "1": {"seed": 1}}}


def test_an_axis_of_names_is_called_by_what_is_named():
    assert read_axes({"data.name": ["mnist"]}) == {"data": {"mnist": {"data.name": "mnist"}}}


def test_bundles_are_called_as_the_file_calls_them():
    bundles = {"strong": {"attack.scale": 5.0, "attack.malicious": 3}}
    assert read_axes({"attack": bundles}) == {"attack": bundles}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("mnist", "mnist"),
        (0.5, "0.5"),
        (True, "true"),
        (None, "null"),
        ({"name": "clipped", "max_norm": 2.0, "inner": {"name": "mean"}}, "clipped (max_norm=2.0, inner=mean)"),
        ({"q": 0.5, "name": "label_skew"}, "label_skew (q=0.5)"),
        ({"clients": 8, "sampled": 4}, "clients=8, sampled=4"),
        ([{"name": "ipm"}, {"name": "lmp"}], "ipm + lmp"),
        ([], "none"),
    ],
)
def test_a_value_is_called_by_what_it_is(value, name):
    assert make_label(value) == name


def test_a_section_takes_the_place_of_one_and_a_dotted_key_changes_a_value():
    document = {"attack": {"name": "ipm", "scale": 5.0}, "seed": 0}
    assert apply_bundle(document, {"attack.scale": 2.0}) == {"attack": {"name": "ipm", "scale": 2.0}, "seed": 0}
    assert apply_bundle(document, {"attack": {"name": "lmp"}}) == {"attack": {"name": "lmp"}, "seed": 0}
    assert document == {"attack": {"name": "ipm", "scale": 5.0}, "seed": 0}


def test_texts_may_name_the_labels_of_a_cell_as_files_are_called():
    document = {"attacks": [{"policy": "{defense}-{seed}.safetensors"}], "seed": 3}
    labels = {"defense": "Krum (malicious=2)", "seed": "3"}
    assert fill_labels(document, labels) == {
        "attacks": [{"policy": "krum-malicious-2-3.safetensors"}],
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("text", "offered"),
    [("{defence}-{seed}", "'defence'; did you mean 'defense'?"), ("{x}", "'x'; known: defense, seed")],
)
def test_a_text_that_names_no_axis_is_answered_with_the_nearest_one(text, offered):
    with pytest.raises(UnknownName, match=re.escape(f"'policies/{text}' names the axis {offered}")):
        fill_labels({"attacks": [{"policy": f"policies/{text}"}]}, {"defense": "krum", "seed": "3"})


@pytest.mark.parametrize(("one", "other", "slug"), [("Krum (f=2)", "krum-f-2", "krum-f-2"), ("1", "-1", "1")])
def test_labels_that_a_text_cannot_tell_apart_are_refused(one, other, slug):
    axes = {"defense": {one: {"seed": 0}, other: {"seed": 1}}}
    refuse_alike(axes, {"base": {"attack": {"policy": "policy.safetensors"}}})
    line = f"axes.defense: {one!r} and {other!r} are both {slug!r} in a text; give the values your own names"
    with pytest.raises(ConfigError, match=re.escape(line)):
        refuse_alike(axes, {"base": {"attack": {"policy": "{defense}.safetensors"}}})


def test_words_in_braces_are_replaced_wherever_they_are():
    document = {"attack": {"policy": "{policies}/{seed}"}, "axes": [{"{policies}": "{policies}"}], "rounds": 3}
    assert replace_words(document, {"policies": "Meine Läufe/policies"}) == {
        "attack": {"policy": "Meine Läufe/policies/{seed}"},
        "axes": [{"{policies}": "Meine Läufe/policies"}],
        "rounds": 3,
    }
    assert document["attack"] == {"policy": "{policies}/{seed}"}


@pytest.mark.parametrize(
    ("axes", "line"),
    [
        ({"seed": []}, r"axes.seed is \[\]; it must be a list of values, or a mapping of names to settings"),
        ({"seed": 3}, "axes.seed is 3; it must be a list"),
        ({"seed": [0, 1, 0]}, "axes.seed has '0' twice; write it once"),
        (
            {"data": [{"name": "mnist"}], "data.name": ["mnist"]},
            "axes has 'data' twice; the axis data.name is also named data",
        ),
        ({"rounds": [1]}, "axes has 'rounds', which is a column of tables; choose another name"),
        ({"mean": {"small": {"seed": 0}}}, "axes has 'mean', which is a column of tables"),
        ({"attack": {"ipm": 3}}, "axes.attack.ipm is 3; it must be settings, as in"),
        ({"attack": {"ipm": {}}}, "axes.attack.ipm is {}; it must be settings, as in"),
    ],
)
def test_what_is_no_axis_is_refused(axes, line):
    with pytest.raises(ConfigError, match=line):
        read_axes(axes)


def test_a_key_that_leads_nowhere_is_refused():
    with pytest.raises(ConfigError, match=r"'attack\.\.name' is not a key; write section.key"):
        apply_bundle({}, {"attack..name": "ipm"})


def test_data_attacks_and_defenses_speak_for_themselves():
    assert join_labels({"data": "mnist", "q": "0.1", "attack": "ipm", "seed": "0"}) == "mnist, q 0.1, ipm, seed 0"
