from dataclasses import replace

import pytest

from sparring.experiments.analysis.claims import Above, AnyOf, Claim, Least
from sparring.experiments.reproductions.comparison import (
    HEADER,
    describe_assumption,
    judge_preset,
    make_comparison_tables,
)
from sparring.experiments.reproductions.preset import Preset, Published
from sparring.experiments.sweeps import plan_sweep
from tests.experiments.frames import made_frame

RUNS = made_frame(
    {
        ("none", "Krum"): [0.93, 0.94, 0.95],
        ("none", "median"): [0.91, 0.91, 0.91],
        ("LMP", "Krum"): [0.10, 0.11, 0.09],
        ("LMP", "median"): [0.90],
    }
)
CELLS = [
    {"attack": attack, "defense": defense, "seed": seed}
    for attack in ("none", "LMP", "IPM")
    for defense in ("Krum", "median")
    for seed in "012"
]
KRUM, MEDIAN = ({"attack": "LMP", "defense": rule} for rule in ("Krum", "median"))
CLEAN = {"attack": "none", "defense": "Krum"}

PRESET = Preset(
    id="example",
    title="an example",
    source="nobody",
    metrics=("accuracy",),
    document=lambda scale: {},
    differences={"laptop": ()},
    published=lambda scale: (
        Published(CLEAN, 0.95),
        Published({"attack": "RL", "defense": "median"}, 0.5, "≈"),
        Published(MEDIAN, 0.2, metric="average_accuracy"),
    ),
    claims=lambda scale: (
        Claim("Krum learns.", (Above(CLEAN, 0.9),)),
        Claim("Krum bears LMP.", (Above(KRUM, 0.5),)),
        Claim("The median bears LMP.", (Above(MEDIAN, 0.5), Above(MEDIAN, 0.0, metric="average_accuracy"))),
        Claim("The median bears more.", (Above(Least((MEDIAN,)), Least((KRUM,))),)),
        Claim("Krum learns or bears LMP.", (AnyOf((Above(CLEAN, 0.9), Above(KRUM, 0.5))),)),
    ),
)


def test_a_panel_is_called_by_its_labels_and_numbers_by_their_axis_too():
    plain = replace(PRESET, published=lambda scale: ())
    cells = [{"partition": "iid", "attackers": count, "defense": "Krum", "attack": "RL"} for count in ("7", "20")]
    titles = [table.title for table in make_comparison_tables(plain, "laptop", cells=cells, runs=RUNS)]
    assert titles == ["accuracy, iid, attackers 7", "accuracy, iid, attackers 20"]


def test_each_cell_is_published_measured_and_answered():
    (table,) = make_comparison_tables(PRESET, "laptop", cells=CELLS, runs=RUNS)
    assert table.title == "accuracy"
    assert table.header == HEADER
    assert table.rows == (
        ("Krum", "none", "0.95", "0.940 ± 0.010, n = 3", "yes"),
        ("Krum", "LMP", "-", "0.100 ± 0.010, n = 3", "no"),
        ("Krum", "IPM", "-", "-", "-"),
        ("median", "none", "-", "0.910 ± 0.000, n = 3", "-"),
        ("median", "LMP", "-", "0.900 (n = 1)", "undecided"),
        ("median", "IPM", "-", "-", "-"),
        ("median", "RL", "≈ 0.50", "-", "-"),
    )


def test_there_are_tables_for_each_metric_and_each_label_on_the_other_axes():
    runs = RUNS.assign(partition="iid")
    cells = [{"partition": partition, **cell} for partition in ("iid", "skew") for cell in CELLS]
    preset = replace(PRESET, metrics=("accuracy", "error"), published=lambda scale: ())
    titles = [table.title for table in make_comparison_tables(preset, "laptop", cells=cells, runs=runs)]
    assert titles == ["accuracy, iid", "accuracy, skew", "error, iid", "error, skew"]


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.4, "Every rule assumes 40% malicious updates; 40% of the clients are malicious."),
        (
            0.3,
            "Every rule assumes 30% malicious updates, the largest share that all of them allow; 40% of the clients "
            "are malicious.",
        ),
    ],
)
def test_the_share_that_rules_reckon_with_is_told(share, told):
    base = {"threat": {"assumed_malicious": share}, "federation": {"clients": 20, "sampled": 10}}
    axes = {"attack": [{"name": "none"}, {"name": "ipm", "malicious": 8}]}
    assert describe_assumption(plan_sweep({"base": base, "axes": axes})) == told


def test_all_shares_of_malicious_clients_that_are_played_are_told():
    base = {"federation": {"clients": 20, "sampled": 10}}
    axes = {"attack": [{"name": "none"}, *({"name": "ipm", "malicious": number} for number in (4, 2))]}
    assert describe_assumption(plan_sweep({"base": base, "axes": axes})).endswith(
        "; 10% or 20% of the clients are malicious."
    )


def test_all_claims_are_judged():
    verdicts = [judgment.verdict for judgment in judge_preset(PRESET, "laptop", runs=RUNS)]
    assert verdicts == ["holds", "does not hold", "undecided", "undecided", "holds"]


def test_nothing_is_answered_at_the_smoke_scale():
    (table,) = make_comparison_tables(PRESET, "smoke", cells=CELLS, runs=RUNS)
    assert {row[-1] for row in table.rows} == {"-"}
