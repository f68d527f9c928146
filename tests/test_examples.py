"""The examples run as they are, and say what they should."""

import json
import runpy
import sys

import matplotlib as mpl
import pytest
from matplotlib import pyplot

from tests.source import ROOT

EXAMPLES = ROOT / "examples"
LINES = 60
PRINTED = {
    "rule_against_attacks": ("mean     no attack ", "median   sign flip "),
    "own_attack": ("passes an unknown option is refused", "krum "),
    "sweep_and_claims": (
        "accuracy, mean ± standard deviation over seeds, n = 3",
        "holds: Under IPM the median is above",
    ),
}
"""What each script prints, among other things."""
NOTEBOOK = json.loads((EXAMPLES / "first_look.ipynb").read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """Work in an empty folder; modules beside an example can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    yield tmp_path
    sys.modules.pop("own_attack", None)


def test_every_script_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == PRINTED.keys()


@pytest.mark.parametrize("name", PRINTED)
def test_a_script_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < LINES


@pytest.mark.parametrize("name", PRINTED)
def test_a_script_runs_and_prints_its_results(name, working_folder, capsys):
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert all(words in printed for words in PRINTED[name])
    assert "FAILS" not in printed


def test_the_notebook_runs_from_top_to_bottom(working_folder):
    made = {}
    with mpl.rc_context({"backend": "Agg"}):
        for number, code in enumerate(CODE, 1):
            exec(compile(code, f"cell {number}", "exec"), made)  # noqa: S102  # the notebook is ours
        pyplot.close("all")
    assert made["clean"].accuracy > 0.9
    last = made["accuracy"].iloc[-1]
    assert last["mean"] < 0.2 < 0.8 < last["median"]


def test_the_notebook_is_kept_without_its_outputs():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    cells = NOTEBOOK["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    run = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in run)
