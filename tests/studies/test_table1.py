"""Table 1 of MSG with its learned column: its sweeps, and its tables."""

import pandas as pd
import pytest

from sparring.experiments.reproductions.msg import table1
from sparring.experiments.sweeps import plan_sweep
from studies.table1 import LEARNED_COLUMN, PAPER, ROWS, document, fixed, folder_of, written
from tests.defenses.learned.policies import written as write_policy

SCORES = {
    ("learned", "BFL"): (0.90, 0.01),
    ("constant", "BFL"): (0.85, 0.04),
    ("mean", "BFL"): (0.91, 0.99),
    ("krum", "BFL"): (0.60, 0.0),
    ("learned", "none"): (0.90, 0.01),
    ("constant", "none"): (0.90, 0.01),
    ("mean", "none"): (0.96, 0.01),
    ("krum", "none"): (0.70, 0.01),
}


def frame(seeds=(1, 2, 3)):
    """Return runs whose accuracy differs by seed alike for all defenses; it is lower on average over the run."""
    rows = []
    for (defense, attack), (accuracy, backdoor) in SCORES.items():
        for seed in seeds:
            own = {"accuracy": accuracy + 0.01 * (seed - 2), "backdoor_accuracy": backdoor}
            average = {f"average_{name}": 0.5 * value for name, value in own.items()}
            of_all = {"average_backdoor_accuracy_of_all": 0.1}
            rows.append({"defense": defense, "attack": attack, "seed": seed, **own, **average, **of_all})
    return pd.DataFrame(rows)


def tables(runs, policies):
    """Return the tables by the sentence before each, as lists of cells."""
    parts = written(runs, policies).strip().split("\n\n")
    return {
        head: [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
        for head, body in zip(parts[::2], parts[1::2], strict=True)
    }


def row(table, name):
    return next(line for line in table if line[0] == name)


def verdicts(runs, policies=("learned", "constant"), when="after the last round"):
    return tables(runs, list(policies))[f"Verdicts on **learned**, {when}:"]


def test_the_sweep_of_a_row_has_every_policy_and_rule_in_the_strong_reading(tmp_path):
    policy = tmp_path / "policy.safetensors"
    write_policy(policy, 0.0, 0.0, 0.0, inputs=1290)
    plan = plan_sweep(document("IPM + BFL", {"learned": policy}, seeds=[1, 2]))
    assert len(plan.runs) == 2 * (len(fixed()) + 1)
    first = {cell.labels["defense"]: cell.config for cell in plan.cells}
    assert [each.malicious for each in first["mean"].attacks] == [10, 5]
    assert first["mean"].attacks[0].member["of"] == "minimum"
    assert first["mean"].attacks[1].local_epochs == 1
    assumed = {name: config.threat.assumed_malicious for name, config in first.items()}
    assert (assumed["learned"], assumed["krum"], assumed["bulyan"]) == (0.15, 0.15, 0.1)
    assert first["FLTrust + NeuroClip"].post_training["name"] == "neuroclip"
    assert first["fltrust"].post_training["name"] == "none"
    assert (first["ClipMed 1"].defense["max_norm"], first["ClipMed 1 on gradients"].defense["max_norm"]) == (1, 0.05)


def test_without_an_attack_the_trigger_is_evaluated_and_rules_assume_twenty_percent():
    (cell,) = plan_sweep(document("none", {}, seeds=[1], chosen=["krum"])).cells
    assert cell.config.threat.assumed_malicious == 0.2
    assert [each.start for each in cell.config.attacks] == [10**7]


def test_rows_and_columns_are_those_of_the_published_table(tmp_path):
    assert list(ROWS) == list(table1.PUBLISHED)
    assert len(LEARNED_COLUMN) == len(ROWS)
    assert set(PAPER.values()) == set(table1.COLUMNS)
    assert set(PAPER) < set(fixed())
    assert len({folder_of(tmp_path, each) for each in ROWS}) == len(ROWS)


def test_defenses_are_sorted_by_their_worst_row_and_policies_stand_out():
    sentence = "Accuracy / backdoor accuracy, after the last round, mean ± standard deviation:"
    found = tables(frame(), ["learned", "constant"])[sentence]
    assert [line[0] for line in found[2:]] == ["**learned**", "**constant**", "`krum`", "`mean`"]
    assert row(found, "**learned**")[1] == "0.90 ± 0.01 / 0.01 ± 0.00"
    assert row(found, "**learned**")[-1] == "0.890"


def test_each_value_is_judged_against_the_best_fixed_rule_of_the_row():
    accuracy, backdoor, both, constant = row(verdicts(frame()), "BFL")[1:]
    assert accuracy == "**holds** -0.010 [-0.010, -0.010], n = 3, to `mean`"
    assert backdoor == "**holds** -0.010 [-0.010, -0.010], n = 3, to `krum`"
    assert both.startswith("**holds** +0.290")
    assert both.endswith("to `krum`")
    assert constant.startswith("**holds** +0.080")


def test_a_learned_column_that_loses_accuracy_or_equals_the_constant_does_not_hold():
    accuracy, _, both, constant = row(verdicts(frame()), "none")[1:]
    assert accuracy.startswith("**does not hold** -0.060")
    assert both.startswith("**does not hold** -0.060")
    assert constant.startswith("**does not hold** +0.000")


def test_averages_over_the_run_are_judged_on_their_own():
    accuracy = row(verdicts(frame(), when="averages over the run"), "none")[1]
    assert accuracy.startswith("**does not hold** -0.030")


@pytest.mark.parametrize("policies", [["learned"], []])
def test_columns_of_defenses_that_were_not_run_are_left_out(policies):
    runs = frame()
    runs = runs[runs["defense"].isin([*policies, "mean"])]
    found = tables(runs, policies)
    published = found["Published (CIFAR-10) → measured, averages over the run:"]
    assert published[0] == ["attack", "FedAvg", *["learned (meta-RL)"][: len(policies)]]
    assert row(published, "BFL")[1] == "0.71/1.00 → 0.46/0.10"
    assert len([head for head in found if head.startswith("Verdicts")]) == 2 * len(policies)


def test_two_seeds_decide_nothing():
    assert all("undecided" in cell for cell in row(verdicts(frame(seeds=(1, 2))), "BFL")[1:])
