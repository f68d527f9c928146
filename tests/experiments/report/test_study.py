from tests.experiments.report.studies import study

AXES = {"data": ["mnist", "digits"], "q": ["0.5", "0.1"], "seed": ["0", "1"]}


def test_combinations_stand_in_the_order_of_the_axes():
    found = study(AXES, {}).combinations("q")
    assert found == ({"data": "mnist"}, {"data": "digits"})
    assert study(AXES, {}).combinations()[1] == {"data": "mnist", "q": "0.1"}


def test_a_part_of_a_study_has_its_cells_and_runs():
    results = {("mnist", "0.5", "0"): 0.9, ("digits", "0.5", "0"): 0.8, ("digits", "0.1", "1"): None}
    part = study(AXES, results).where({"data": "digits"})
    assert [run["accuracy"] for run in part.frame.to_dict("records")] == [0.8]
    assert {cell.labels["data"] for cell in part.cells} == {"digits"}
    assert (len(part.complete), len(part.failed), len(part.missing)) == (1, 1, 2)
