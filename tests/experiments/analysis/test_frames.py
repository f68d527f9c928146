import numpy as np
import pytest

from sparring.errors import ConfigError, RunError
from sparring.experiments.analysis.frames import axes_of, by_seed, compare_cells, read_frame, summarize_cells, values
from sparring.experiments.runs.run_folder import RESULT
from sparring.experiments.sweeps import plan_sweep, run_folder, sweep
from sparring.experiments.sweeps.axes import METRICS
from tests.experiments.frames import made_frame

BASE = {
    "data": {"name": "synthetic", "classes": 3, "features": 4, "examples": 60, "root_size": 10},
    "model": {"name": "logistic"},
    "federation": {"clients": 6, "sampled": 3, "rounds": 2, "batch": 2},
    "evaluation": {"every": 1},
}
AXES = {
    "defense": {"median": {"defense.name": "median"}, "FedAvg": {"defense.name": "mean"}},
    "federation.rounds": [2, 1],
}

ACCURACIES = {
    ("none", "median"): [0.9, 0.8, 0.7],
    ("none", "krum"): [0.6, 0.6, 0.6],
    ("lmp", "median"): [0.5, 0.7],
    ("lmp", "krum"): [0.1],
}


class TestFrame:
    @pytest.fixture(scope="class")
    @staticmethod
    def folder(tmp_path_factory):
        folder = tmp_path_factory.mktemp("sweep") / "s"
        sweep(plan_sweep({"base": {**BASE, "seed": 7}, "axes": {**AXES, "seed": [3, 1]}}), folder)
        return folder

    def test_a_row_is_a_run(self, folder):
        runs = read_frame(folder)
        assert list(runs.columns) == ["defense", "federation.rounds", "seed", *METRICS, "rounds", "run"]
        assert len(runs) == runs["run"].nunique() == 8
        assert runs["rounds"].tolist() == [int(label) for label in runs["federation.rounds"]]
        assert runs["accuracy"].between(0, 1).all()
        assert runs["backdoor_accuracy"].isna().all()

    def test_labels_keep_the_order_of_the_file(self, folder):
        runs = read_frame(folder)
        assert list(runs["defense"].cat.categories) == ["median", "FedAvg"]
        assert list(runs["federation.rounds"].cat.categories) == ["2", "1"]
        assert runs["seed"].tolist() == [3, 1] * 4

    def test_a_run_that_is_not_complete_has_no_row(self, folder):
        whole = read_frame(folder)
        result = run_folder(folder, whole["run"][2]) / RESULT
        hidden = result.rename(result.with_name("hidden"))
        left = read_frame(folder)
        hidden.rename(result)
        assert left["run"].tolist() == whole["run"].drop(2).tolist()

    def test_the_seed_of_the_configuration_stands_where_it_is_no_axis(self, tmp_path):
        sweep(plan_sweep({"base": {**BASE, "seed": 7}, "axes": {"defense": AXES["defense"]}}), tmp_path / "s")
        runs = read_frame(tmp_path / "s")
        assert axes_of(runs) == ["defense"]
        assert runs["seed"].tolist() == [7, 7]

    def test_a_sweep_of_one_run_has_one_cell(self, tmp_path):
        sweep(plan_sweep({"base": BASE}), tmp_path / "s")
        ((labels, cell),) = summarize_cells(read_frame(tmp_path / "s"), "accuracy").items()
        assert labels == ()
        assert cell.n == 1

    def test_what_is_no_sweep_is_refused(self, tmp_path):
        with pytest.raises(RunError, match="is not a sweep folder"):
            read_frame(tmp_path)


def test_a_frame_without_rows_has_no_cells():
    runs = made_frame(ACCURACIES).iloc[:0]
    assert summarize_cells(runs, "accuracy") == {}
    assert compare_cells(runs, "accuracy", axis="defense", reference="krum") == []


def test_each_cell_is_summarized_over_its_seeds():
    made = summarize_cells(made_frame(ACCURACIES), "accuracy")
    assert list(made) == list(ACCURACIES)
    assert {labels: cell.n for labels, cell in made.items()} == {key: len(each) for key, each in ACCURACIES.items()}
    assert made["none", "median"].mean == pytest.approx(0.8)


def test_the_error_is_what_the_accuracy_lacks():
    runs = made_frame(ACCURACIES)
    np.testing.assert_allclose(values(runs, "error"), 1 - runs["accuracy"])


def test_an_unknown_metric_is_refused():
    with pytest.raises(ConfigError, match="metric is 'acuracy'; it must be one of: accuracy"):
        values(made_frame(ACCURACIES), "acuracy")


def test_a_cell_is_found_by_its_labels():
    runs = made_frame(ACCURACIES)
    assert by_seed(runs, {"attack": "lmp", "defense": "median"}, metric="accuracy") == {0: 0.5, 1: 0.7}
    assert by_seed(runs, {"attack": "lmp", "defense": "mean"}, metric="accuracy") == {}
    assert by_seed(runs, {"partition": "iid"}, metric="accuracy") == {}


def test_labels_that_name_several_cells_are_refused():
    with pytest.raises(
        ConfigError, match="attack=none matches more than one cell; give a label on each of: attack, defense"
    ):
        by_seed(made_frame(ACCURACIES), {"attack": "none"}, metric="accuracy")


def test_cells_are_compared_with_the_reference_beside_them():
    first, second = compare_cells(made_frame(ACCURACIES), "accuracy", axis="defense", reference="krum")
    assert first.labels == {"attack": "none", "defense": "median"}
    assert first.comparison.difference == pytest.approx(0.2)
    assert first.comparison.n == 3
    assert second.labels == {"attack": "lmp", "defense": "median"}
    assert second.comparison.n == 1


def test_p_values_are_corrected_for_all_contrasts_together():
    seeds = range(6)
    accuracies = {
        ("none", "krum"): [0.5 for _ in seeds],
        ("none", "median"): [0.6 + seed / 100 for seed in seeds],
        ("none", "mean"): [0.7 + seed / 100 for seed in seeds],
    }
    made = compare_cells(made_frame(accuracies), "accuracy", axis="defense", reference="krum")
    assert [each.comparison.p for each in made] == pytest.approx([1 / 32, 1 / 32])
    assert [each.p for each in made] == pytest.approx([1 / 16, 1 / 16])
