import copy

import pytest

from sparring.errors import ConfigError
from sparring.experiments.config.overrides import apply_overrides, set_value


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], {}),
        (["seed=3"], {"seed": 3}),
        (["federation.lr=1e-3"], {"federation": {"lr": 0.001}}),
        (["defense.inner.name=median"], {"defense": {"inner": {"name": "median"}}}),
        (["a.b=1", "a.b=2", "a.c=x=y"], {"a": {"b": 2, "c": "x=y"}}),
        (["attacks.0.name=ipm", "attacks.1.name=lmp"], {"attacks": [{"name": "ipm"}, {"name": "lmp"}]}),
        (["attacks.0.name=ipm", "attacks.0.scale=2"], {"attacks": [{"name": "ipm", "scale": 2}]}),
        (["defense={name: median}", "defense.f=1"], {"defense": {"name": "median", "f": 1}}),
        (["attacks=[{name: ipm}]", "attacks.0.scale=2"], {"attacks": [{"name": "ipm", "scale": 2}]}),
        (["data.name="], {"data": {"name": None}}),
        (["defense=krum"], {"defense": "krum"}),
        (["defense=krum", "defense.f=1"], {"defense": {"name": "krum", "f": 1}}),
        (["defense={name: krum, f: 1}", "defense=median"], {"defense": {"name": "median", "f": 1}}),
        (["attacks=[ipm]", "attacks.0.scale=2", "attacks.0=lmp"], {"attacks": [{"name": "lmp", "scale": 2}]}),
        (["data=null", "data.name=mnist"], {"data": {"name": "mnist"}}),
    ],
)
def test_a_setting_is_put_where_its_key_says(settings, expected):
    assert apply_overrides({}, settings) == expected


def test_a_setting_goes_before_the_document_which_is_left_alone():
    document = {"seed": 1, "attacks": [{"name": "ipm"}, {"name": "lmp"}], "data": {"name": "mnist"}}
    before = copy.deepcopy(document)
    changed = apply_overrides(document, ["attacks.1.scale=3", "data.name=digits"])
    assert changed == {"seed": 1, "attacks": [{"name": "ipm"}, {"name": "lmp", "scale": 3}], "data": {"name": "digits"}}
    assert document == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["x"], "'x' is not a setting; write section.key=value, as in federation.rounds=100"),
        (["a..b=1"], "'a..b=1' is not a setting; write section.key=value, as in federation.rounds=100"),
        (["=1"], "'=1' is not a setting; write section.key=value, as in federation.rounds=100"),
        (["seed=1", "seed.x=2"], "seed.x=2: 'x' is not in a section, but in 1; set the section first"),
        (["attacks.1.name=x"], "attacks.1.name=x: '1' is not an index of a list of 0; use at most 0"),
        (["a=[1]", "a.two=2"], "a.two=2: 'two' is not an index of a list of 1; use at most 1"),
        (["a=[1]", "a.²=2"], "a.²=2: '²' is not an index of a list of 1; use at most 1"),
        (["a=[1"], "a=[1: line 1: expected ',' or ']', but got '<stream end>'"),
        (
            ["a=!!python/name:os.system"],
            "a=!!python/name:os.system: line 1: a tag; write plain text, numbers, lists and sections",
        ),
    ],
)
def test_what_is_no_setting_is_refused(settings, message):
    with pytest.raises(ConfigError) as raised:
        apply_overrides({}, settings)
    assert str(raised.value) == message


def test_endless_keys_are_no_setting():
    with pytest.raises(ConfigError, match="is not a setting"):
        apply_overrides({}, [".".join("a" * 10**5) + "=1"])


def test_a_value_is_placed_as_it_is():
    document = {"attack": {"name": "ipm"}}
    assert set_value(document, "attack.scale", value=2.0) == {"attack": {"name": "ipm", "scale": 2.0}}
    assert set_value(document, "attack", value={"name": "none"}) == {"attack": {"name": "none"}}
    assert document == {"attack": {"name": "ipm"}}
    with pytest.raises(ConfigError, match=r"'attack\.' is not a key; write section.key"):
        set_value(document, "attack.", value=0)
