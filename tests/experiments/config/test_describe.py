import pytest

from sparring.experiments.config.describe import format_classes, format_duration, format_member
from sparring.experiments.runs.cost import Forecast, describe_run
from tests.experiments.small import small

PLAN = Forecast(seconds=90, memory=300 << 20, parameters=12345, examples=160, rounds=4, digest="", config={})


def test_a_run_is_told_in_words():
    words = describe_run(small("attack.start=3", "defense={name: clipped, inner: {name: median}}"), PLAN)
    assert words["attack"] == "ipm (scale=5.0) by 2 of 8 clients from round 3 on"
    assert words["defense"] == "clipped (inner=median, max_norm=2.0), assuming 20% malicious updates"
    assert words["model"] == "logistic, 12,345 parameters"
    assert words["training"] == "8 rounds of 1 x 4 examples per client, lr 0.05"
    assert words["clients"] == "8, 4 sampled per round; label_skew (q=0.5)"
    assert words["post-training"] == "none"
    assert words["evaluation"] == "every 3 rounds, on the test examples"
    assert words["time"] == "about 90.0 s"
    assert words["memory"] == "about 300 MiB"


def test_several_attackers_are_told_one_after_the_other():
    several = small("attack=", "attacks=[{name: ipm, malicious: 1}, {name: label_flip, malicious: 2}]")
    assert describe_run(several, PLAN)["attack"] == "ipm (scale=5.0) by 1 of 8 clients; label_flip by 2 of 8 clients"
    assert describe_run(small("attack="), PLAN)["attack"] == "none"


def test_what_is_an_attacker_s_own_is_told():
    own = small("attack.local_epochs=6", "attack.batch=128", "attack.lr=0.1")
    words = "ipm (scale=5.0) by 2 of 8 clients, training with local_epochs=6, batch=128, lr=0.1"
    assert describe_run(own, PLAN)["attack"] == words


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"name": "mean"}, "mean"),
        ({"name": "krum", "malicious": None}, "krum"),
        ({"name": "outer", "inner": {"name": "clipped", "max_norm": 1.0}}, "outer (inner=clipped (max_norm=1.0))"),
    ],
)
def test_a_member_is_called_by_its_name_and_options(section, words):
    assert format_member(section) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (119.9, "119.9 s"), (120, "0:02:00"), (90061, "1 day, 1:01:01")]
)
def test_a_duration_is_told_in_fitting_units(seconds, words):
    assert format_duration(seconds) == words


def test_an_oracle_is_named():
    oracle = small("federation.sampled=5", "defense={name: clipped, inner: {name: krum, malicious: sampled}}")
    words = (
        "clipped (inner=krum (malicious=sampled), max_norm=2.0), an oracle: "
        "it receives the true number of malicious updates"
    )
    assert describe_run(oracle, PLAN)["defense"] == f"{words} in each round"


def test_classes_are_told_by_number_where_they_have_names():
    assert "classes" not in describe_run(small(), PLAN)
    assert describe_run(small(), PLAN._replace(class_names=("cat", "dog")))["classes"] == "0 cat, 1 dog"


def test_of_many_classes_some_are_told():
    names = [f"n{number}" for number in range(21)]
    assert format_classes(names[:20]).count(",") == 19
    assert format_classes(names) == "0 n0, 1 n1, 2 n2, 3 n3, 4 n4, 5 n5, 6 n6, 7 n7, 8 n8, 9 n9, …, 20 n20"
