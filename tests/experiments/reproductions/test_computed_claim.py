import json

import pytest

from sparring.errors import RunError
from sparring.experiments.reproductions.computed_claim import NAME, ComputedClaim, compute
from tests.experiments.reproductions.calculations import counting


def results(calculation: ComputedClaim, folder, told=None):
    heard = [] if told is None else told
    return compute(calculation, "smoke", folder=folder, tell=lambda done, part: heard.append((done, part)))


def test_all_parts_are_calculated_and_told_of(tmp_path):
    told = []
    rows = results(counting(), tmp_path, told)
    assert rows == tuple({"seed": seed, "case": case, "value": 10 * seed + case} for seed in (0, 1) for case in (0, 1))
    assert told == [(1, {"seed": 0}), (2, {"seed": 1})]


def test_what_is_there_is_not_calculated_again(tmp_path):
    first, asked = results(counting(), tmp_path), []
    assert results(counting(asked), tmp_path) == first
    assert not asked


def test_it_goes_on_where_it_was_stopped(tmp_path):
    asked = []
    with pytest.raises(KeyboardInterrupt):
        results(counting(asked, stop_at=1), tmp_path)
    assert results(counting(asked), tmp_path) == results(counting(), tmp_path / "whole")
    assert asked == [0, 1, 1]
    assert (tmp_path / NAME).read_bytes() == (tmp_path / "whole" / NAME).read_bytes()


@pytest.mark.parametrize("change", [{"id": "another"}, {"scale": "paper"}, {"version": "0"}])
def test_results_of_something_else_are_refused(tmp_path, change):
    results(counting(), tmp_path)
    content = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps({**content, **change}))
    with pytest.raises(RunError, match=r"calculation.json is .*, not .*; choose another folder"):
        results(counting(), tmp_path)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / NAME).write_text("[")
    with pytest.raises(RunError, match=r"calculation.json is damaged, not .*; choose another folder"):
        results(counting(), tmp_path)
