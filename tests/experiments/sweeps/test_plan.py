import pytest

from sparring.errors import ConfigError
from sparring.experiments import apply_overrides, digest, parse_config
from sparring.experiments.sweeps import plan_sweep
from tests.experiments.sweeps.grids import BASE, IPM, full_grid, grid


def test_there_is_a_run_for_each_combination():
    plan = plan_sweep(full_grid())
    assert {axis: len(labels) for axis, labels in plan.axes.items()} == {
        "data.separation": 2,
        "attack": 3,
        "defense": 4,
    }
    assert len(plan.cells) == len(plan.runs) == 24
    assert len({tuple(cell.labels.items()) for cell in plan.cells}) == 24


def test_a_cell_is_the_run_that_its_settings_describe():
    (cell,) = plan_sweep(grid("seed=3", attack=[IPM], seed=[4])).cells
    assert cell.labels == {"attack": "ipm (malicious=2)", "seed": "4"}
    assert cell.config == parse_config(apply_overrides(BASE, ["attack={name: ipm, malicious: 2}", "seed=4"]))
    assert cell.digest == digest(cell.config)


def test_equal_runs_of_two_cells_are_one():
    plan = plan_sweep(grid(attack={"nobody": {"attack.malicious": 0}, "none": {"attack": {"name": "none"}}}))
    assert len(plan.cells) == 2
    assert list(plan.runs) == [plan.cells[0].digest] == [plan.cells[1].digest]
    assert plan.runs[plan.cells[1].digest].labels == {"attack": "nobody"}


def test_each_cell_may_have_a_policy_of_its_own():
    plan = plan_sweep(grid(attack=[{"name": "learned", "malicious": 2, "policy": "{seed}.safetensors"}], seed=[0, 1]))
    assert [cell.config.attacks[0].member["policy"] for cell in plan.cells] == ["0.safetensors", "1.safetensors"]


def test_a_sweep_without_axes_is_one_run():
    (cell,) = plan_sweep({"base": BASE}).cells
    assert cell.labels == {}
    assert cell.config == parse_config(BASE)


MISTAKES = [
    (
        grid(defense=[{"name": "mean"}, {"name": "krumm"}]),
        "defense 'krumm': unknown defense 'krumm'; did you mean 'krum'?",
    ),
    (grid(defense=[{"name": "krumm"}]), "defense 'krumm': unknown defense 'krumm'; did you mean 'krum'?"),
    (
        grid(**{"federation.round": [1, 2]}),
        "federation.round '1': federation has no key 'round'; did you mean 'rounds'?",
    ),
    (
        grid(attack=[{"name": "ipm", "malicious": 9}]),
        "attack 'ipm (malicious=9)': attack.malicious is 9; there are 8 clients",
    ),
    (
        grid(**{"attack.malicious": [5], "federation.clients": [8, 4]}),
        "attack.malicious '5': federation.clients '4': attack.malicious is 5; there are 4 clients",
    ),
    (grid("federation.lr=-1", seed=[0]), "federation.lr is -1; it must be greater than 0"),
    ({"axis": {"seed": [0]}}, "the sweep has no key 'axis'; did you mean 'axes'?"),
    ({"axes": [0]}, "axes is [0]; it must be a section"),
    (
        {"axes": {"seed": list(range(1000)), "federation.rounds": list(range(1, 102))}},
        "axes give 101000 runs; use at most 100000 in one sweep",
    ),
]


@pytest.mark.parametrize(("document", "line"), MISTAKES, ids=[line for _, line in MISTAKES])
def test_a_mistake_names_the_axis_and_the_value(document, line):
    with pytest.raises(ConfigError) as raised:
        plan_sweep(document)
    assert str(raised.value).startswith(line)


def test_a_mistake_of_the_base_is_blamed_on_no_axis():
    with pytest.raises(ConfigError, match="^unknown model 'lenett'"):
        plan_sweep(grid("model.name=lenett", seed=[0, 1]))
