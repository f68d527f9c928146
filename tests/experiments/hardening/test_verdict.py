import json

import pytest

from sparring.experiments.hardening.comparison import choose_finalists, table_from_json, table_to_json
from sparring.experiments.hardening.verdict import judge_hardening, verdict_to_json
from tests.experiments.hardening.asking import hardened, table


def recommended(**means):
    """Return what is recommended of defenses with these levels, each a little different in three episodes."""
    scores = {name: {"none": [mean, mean + 0.01, mean - 0.01]} for name, mean in means.items()}
    return judge_hardening(table(**scores), ["krum", "median"]).recommended


def test_a_policy_must_be_better_than_a_constant_and_that_better_than_a_rule():
    assert recommended(policy=0.9, constant=0.8, krum=0.6, median=0.5) == "policy"
    assert recommended(policy=0.8, constant=0.8, krum=0.6, median=0.5) == "constant"
    assert recommended(policy=0.8, constant=0.8, krum=0.8, median=0.5) == "krum"
    assert recommended(policy=0.9, constant=0.8, krum=0.6, median=0.95) == "median"


def test_a_difference_that_is_not_certain_does_not_count():
    scores = {"policy": [0.9, 0.6, 0.9], "constant": [0.7, 0.7, 0.7], "krum": [0.5, 0.5, 0.5]}
    verdict = judge_hardening(table(**{name: {"none": row} for name, row in scores.items()}), ["krum"])
    assert verdict.over_constant.difference == pytest.approx(0.1)
    assert verdict.recommended == "constant"


def test_the_worst_type_of_each_episode_counts_if_asked_for():
    row = {"none": [0.9, 0.2], "lmp": [0.3, 0.8]}
    assert table("worst", krum=row).overall("krum").mean == pytest.approx(0.25)
    assert table("mean", krum=row).overall("krum").mean == pytest.approx(0.55)
    assert table("worst", krum=row).worst("krum") == ("none", pytest.approx(0.55))


def test_the_regret_is_to_the_best_rule_against_each_type():
    rows = {
        "krum": {"none": [0.9], "lmp": [0.2]},
        "median": {"none": [0.6], "lmp": [0.7]},
        "policy": {"none": [0.8], "lmp": [0.75]},
    }
    scores = table(**rows)
    assert scores.regret("policy", ["krum", "median"]) == pytest.approx(0.1)
    assert scores.regret("krum", ["krum", "median"]) == pytest.approx(0.5)


def test_a_backdoor_counts_against_a_defense():
    found = hardened().verdict
    assert found.row("policy").by_type["lmp"].mean == pytest.approx(0.81)


def test_the_best_rules_and_those_that_are_best_against_a_type_play_on():
    rows = {f"rule {number}": {"none": [0.5 + 0.05 * number], "lmp": [0.5]} for number in range(6)}
    rows |= {"odd": {"none": [0.1], "lmp": [0.9]}, "policy": {"none": [0.0], "lmp": [0.0]}}
    names = [name for name in rows if name != "policy"]
    assert choose_finalists(table(**rows), names) == ["rule 2", "rule 3", "rule 4", "rule 5", "odd", "policy"]


def test_a_table_is_read_as_it_was_written():
    scores = hardened().verdict.table
    assert table_from_json(json.loads(json.dumps(table_to_json(scores)))) == scores


def test_rules_that_played_one_episode_are_shown_and_not_chosen():
    found = hardened().verdict
    assert found.best_rule == "median"
    assert [row.name for row in found.rows] == ["policy", "constant", "median", "krum", "untrained"]
    assert json.loads(json.dumps(verdict_to_json(found)))["recommended"] == "policy"


def test_an_interval_does_not_leave_what_a_score_can_be():
    row = table(krum={"none": [1.0, 0.2]}).row("krum", "none")
    assert (row.low, row.high) == (-1, 1)
