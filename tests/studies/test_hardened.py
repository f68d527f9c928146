"""Learned defenses and fixed rules under a domain, in a table."""

import pandas as pd
import pytest

from sparring.experiments.sweeps import plan_sweep
from studies.hardened import compared, document, rules, score, written
from tests.defenses.learned.policies import written as write_policy


def frame():
    """Return runs of two defenses against two types on two seeds."""
    rows = [
        ("learned", "none", 1, 0.9, None),
        ("learned", "none", 2, 0.8, None),
        ("learned", "bfl", 1, 0.9, 0.1),
        ("learned", "bfl", 2, 0.8, 0.1),
        ("median", "none", 1, 0.95, None),
        ("median", "none", 2, 0.85, None),
        ("median", "bfl", 1, 0.9, 0.6),
        ("median", "bfl", 2, 0.8, 0.6),
    ]
    return pd.DataFrame(rows, columns=["defense", "attack", "seed", "accuracy", "backdoor_accuracy"])


def test_a_backdoor_counts_against_the_accuracy():
    found = score(frame())
    assert found["learned"].by_type["bfl"].mean == pytest.approx(0.75)
    assert found["learned"].worst == pytest.approx(0.75)
    assert found["median"].worst == pytest.approx(0.25)


def test_the_table_begins_with_the_best_worst_type_and_has_regrets_to_fixed_rules():
    lines = written(score(frame()), ["learned"]).splitlines()
    assert lines[2].startswith("| **learned** |")
    assert lines[2].endswith("| +0.050 |")
    assert lines[3].startswith("| `median` |")
    assert lines[3].endswith("| +0.000 |")


def test_rules_with_options_of_their_own_are_columns_beside(tmp_path):
    settled = {"steep": {"name": "graded_trust", "power": 4.0}}
    plan = plan_sweep(document("digits", {}, seeds=[1], chosen=["median"], settled=settled))
    assert {cell.config.defense["name"] for cell in plan.cells} == {"median", "graded_trust"}
    assert {cell.config.defense.get("power") for cell in plan.cells} == {None, 4.0}


def test_differences_are_paired_by_seed():
    assert compared(score(frame()), "learned", ["median"]).startswith("- learned minus median: +0.225 [+0.225, +0.225]")


def test_the_sweep_has_every_type_by_every_rule_and_policy(tmp_path):
    policy = tmp_path / "policy.safetensors"
    write_policy(policy, 0.0, 0.0, 0.0, inputs=7850)
    plan = plan_sweep(document("digits", {"learned": policy}, seeds=[1]))
    assert len(plan.runs) == 6 * (len(rules()) + 1)
    malicious = {cell.labels["attack"]: [each.malicious for each in cell.config.attacks] for cell in plan.cells}
    assert malicious["ipm+bfl"] == [10, 5]
    assert malicious["none"] == []
