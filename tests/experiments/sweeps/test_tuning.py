import pytest

from sparring.errors import ConfigError
from sparring.experiments.sweeps import plan_sweep
from sparring.experiments.sweeps.axes import read_axes
from sparring.experiments.sweeps.tuning import TRY, CandidateRun, choose, read_selection
from tests.experiments.sweeps.grids import selecting

AXES = read_axes(
    {
        "data.name": ["mnist", "digits"],
        "attack": [{"name": "none"}, {"name": "ipm"}, {"name": "lmp"}],
        "defense": [{"name": "krum"}, {"name": "clipped"}],
        "seed": [0, 1],
    }
)
SECTION = {
    "tune": "defense",
    "try": {"clipped": {"defense.max_norm": [1, 2], "federation.server_lr": [0.5, 1.0]}},
    "against": {"attack": [{"name": "ipm"}, "lmp"]},
}


def tried(candidate, accuracy, *, attack="ipm", seed="0", data="mnist"):
    return CandidateRun({"data": data, "attack": attack, "defense": "clipped", "seed": seed, TRY: candidate}, accuracy)


@pytest.fixture
def selection():
    return read_selection({**SECTION, "try": {"clipped": {"defense.max_norm": [1, 2]}}}, AXES)


def test_every_combination_is_tried():
    selection = read_selection(SECTION, AXES)
    assert selection.candidates["clipped"] == {
        f"defense.max_norm={norm}, federation.server_lr={rate}": {
            "defense.max_norm": norm,
            "federation.server_lr": rate,
        }
        for norm in (1, 2)
        for rate in (0.5, 1.0)
    }
    assert (selection.attacks, selection.seeds) == (["ipm", "lmp"], ["0", "1"])


def test_without_the_section_nothing_is_chosen():
    assert read_selection({}, AXES) is None


def test_the_best_worst_case_is_chosen(selection):
    runs = [
        *(tried("defense.max_norm=1", 0.9, attack="ipm"), tried("defense.max_norm=1", 0.2, attack="lmp")),
        *(tried("defense.max_norm=2", 0.5, attack="ipm"), tried("defense.max_norm=2", 0.4, attack="lmp")),
    ]
    (choice,) = choose(selection, runs).values()
    assert choice.labels == {"data": "mnist", "defense": "clipped"}
    assert choice.chosen == {"defense.max_norm": 2}
    assert (choice.worst, choice.n) == (0.4, 1)
    assert [trial.accuracy for trial in choice.trials] == [{"ipm": 0.9, "lmp": 0.2}, {"ipm": 0.5, "lmp": 0.4}]


def test_seeds_are_averaged_before_the_worst_is_taken(selection):
    runs = [
        *(tried("defense.max_norm=1", 0.0, seed="0"), tried("defense.max_norm=1", 1.0, seed="1")),
        *(tried("defense.max_norm=2", 0.25, seed="0"), tried("defense.max_norm=2", 0.5, seed="1")),
    ]
    (choice,) = choose(selection, runs).values()
    assert choice.chosen == {"defense.max_norm": 1}
    assert (choice.worst, choice.n) == (0.5, 2)


def test_of_equals_the_first_is_chosen(selection):
    (choice,) = choose(selection, [tried(f"defense.max_norm={norm}", 0.5) for norm in (2, 1)]).values()
    assert choice.chosen == {"defense.max_norm": 1}


def test_each_data_set_has_its_own_choice_and_waits_for_its_own_runs(selection):
    runs = [
        *(tried("defense.max_norm=1", 0.1), tried("defense.max_norm=2", 0.2)),
        *(tried("defense.max_norm=1", 0.9, data="digits"), tried("defense.max_norm=2", None, data="digits")),
    ]
    assert [choice.labels["data"] for choice in choose(selection, runs).values()] == ["mnist"]


def test_candidates_are_measured_on_validation_examples_and_nothing_else_is():
    plan = plan_sweep(selecting())
    assert {cell.config.evaluation.on for cell in plan.candidates} == {"validation"}
    assert {cell.config.evaluation.on for cell in plan.cells} == {"test"}
    assert len(plan.candidates) == 2 * 2 * 2
    assert {cell.labels["defense"] for cell in plan.cells} == {"mean"}
    assert plan.open == 3 * 2


def test_what_is_chosen_is_played_on_test_examples():
    document = selecting()
    chosen = {(("defense", "clipped"),): {"defense.max_norm": 0.1}}
    plan = plan_sweep(document, chosen=chosen)
    clipped = [cell.config for cell in plan.cells if cell.labels["defense"] == "clipped"]
    assert {config.defense["max_norm"] for config in clipped} == {0.1}
    assert {config.evaluation.on for config in clipped} == {"test"}
    assert plan.open == 0


def test_fewer_seeds_may_choose():
    seeds = {cell.config.seed for cell in plan_sweep(selecting(seeds=[1])).candidates}
    assert seeds == {1}


MISTAKES = [
    ({"tuned": "defense"}, "select has no key 'tuned'; did you mean 'tune'?"),
    ({"tune": "defence"}, "select.tune names 'defence'; did you mean 'defense'?"),
    ({"tune": ["defense"]}, r"select.tune is \['defense'\]; it must be the name of an axis"),
    ({"try": {}}, "select.try is {}; it must say what to try"),
    ({"try": {"krumm": {"defense.keep": [1, 2]}}}, "select.try names 'krumm'; did you mean 'krum'?"),
    ({"try": {"krum": {"defense.keep": 1}}}, "select.try.krum is .* it must be lists of values, as in"),
    ({"try": {"krum": {"defense.keep": [1]}}}, "select.try.krum leaves no choice; give a list of at least two values"),
    (
        {"try": {"krum": {"data.q": [1, 2]}}},
        "select.try.krum has 'data.q', which the server does not control; use defense",
    ),
    ({"against": ["ipm"]}, r"select.against is \['ipm'\]; it must be an axis and its values"),
    ({"against": {"attack": "ipm"}}, "select.against.attack is 'ipm'; it must be a list of values of the axis"),
    ({"against": {"attack": ["imp"]}}, "select.against.attack names 'imp'; did you mean 'lmp'?"),
    ({"against": {"attacks": ["ipm"]}}, "select.against names 'attacks'; did you mean 'attack'?"),
    ({"against": {"defense": ["krum"]}}, "select.against is 'defense', which is tuned; name the axis of attacks"),
    ({"seeds": [7]}, "select.seeds names '7'; known: 0, 1"),
]


@pytest.mark.parametrize(("changes", "line"), MISTAKES, ids=[line for _, line in MISTAKES])
def test_what_makes_no_sense_is_refused(changes, line):
    with pytest.raises(ConfigError, match=line):
        read_selection({**SECTION, **changes}, AXES)


def test_a_selection_that_lacks_something_is_refused():
    with pytest.raises(ConfigError, match="select lacks 'against'; write tune: defense"):
        read_selection({"tune": "defense", "try": {}}, AXES)
    seedless = {axis: AXES[axis] for axis in ("attack", "defense")}
    with pytest.raises(ConfigError, match="select.seeds is given; there is no axis seed"):
        read_selection({**SECTION, "seeds": [0]}, seedless)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["data.validation=0"], r"data.validation is 0 for ipm .*, clipped, seed 0; select needs validation examples"),
        (["evaluation.on=validation"], "evaluation.on is 'validation'; leave it out"),
    ],
)
def test_a_choice_on_the_examples_of_the_report_is_refused(settings, line):
    with pytest.raises(ConfigError, match=line):
        plan_sweep(selecting(*settings))


def test_a_candidate_with_a_mistake_is_named():
    document = selecting(**{"try": {"clipped": {"defense.max_norm": [1.0, -1.0]}}})
    with pytest.raises(ConfigError, match=r"defense 'clipped': select.try.*max_norm"):
        plan_sweep(document)
