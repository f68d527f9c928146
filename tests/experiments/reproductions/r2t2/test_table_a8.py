"""Table A.8 of R2T2: its trainings at the smallest scale, and its claims."""

import pytest

from sparring.experiments.analysis.text_tables import as_text
from sparring.experiments.reproductions import find_preset
from sparring.experiments.reproductions.computed_claim import compute
from sparring.experiments.reproductions.r2t2 import table_a8


def test_it_trains_and_attacks_at_the_smoke_scale(tmp_path):
    rows = compute(find_preset("r2t2-tablea8"), "smoke", folder=tmp_path, tell=lambda done, part: None)
    assert len(rows) == len(table_a8.TRAININGS) * 4
    assert all(0 <= row["accuracy"] <= 1 for row in rows)
    assert {judgment.verdict for judgment in table_a8.judge("smoke", rows)} == {"not judged"}
    (table,) = table_a8.make_tables(rows)
    assert "0.056" in as_text(table)
    assert len(table.rows) == 12


@pytest.mark.parametrize(
    ("quiet", "attacked", "verdicts"),
    [
        (0.01, 0.05, ["holds", "holds"]),
        (0.05, 0.01, ["does not hold", "holds"]),
        (0.01, 0.50, ["holds", "does not hold"]),
    ],
)
def test_both_claims_are_judged_over_seeds(quiet, attacked, verdicts):
    accuracies = {table_a8.PLAIN: 0.0, table_a8.QUIET: quiet, table_a8.ATTACKED: attacked}
    rows = [
        {"data": "MNIST", "training": training, "seed": seed, "attack": attack, "accuracy": accuracy + 1e-3 * seed}
        for training, accuracy in accuracies.items()
        for seed in range(3)
        for attack in (table_a8.YOPO, table_a8.FGSM_PGD)
    ]
    assert [judgment.verdict for judgment in table_a8.judge("laptop", rows)] == verdicts


def test_both_data_sets_are_trained_on_at_paper_scale_only():
    counts = {scale: len(table_a8.list_parts(scale)) for scale in ("smoke", "laptop", "paper")}
    assert counts == {"smoke": 3, "laptop": 9, "paper": 30}
