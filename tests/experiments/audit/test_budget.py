import json

import pytest

from sparring.errors import ConfigError
from sparring.experiments.audit.budget import (
    FEWEST_EPISODES,
    format_budget,
    measure_plan,
    plan_audit,
    read_budget,
    read_plan,
    write_plan,
)
from sparring.experiments.audit.overheads import CAREFUL, LEAST, Overheads, measure_overheads
from sparring.experiments.jobs.workers import InlineWorkers
from tests.experiments.audit.asking import SMALL, WHITE_BOX, asked


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), ("2d", 172800.0), ("0.5m", 30.0)]
)
def test_a_budget_is_a_number_and_a_unit(text, seconds):
    assert read_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-1m", "0s", "1e3s", "10mm", "infs", "nanm"])
def test_another_budget_is_refused(text):
    with pytest.raises(ConfigError, match=r"^budget is .*; write it as in 90s, 10m or 1.5h$"):
        read_budget(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(90.0, "90s"), (600.0, "10m"), (5400.0, "90m"), (172800.0, "48h"), (0.5, "0.5s")]
)
def test_a_budget_is_written_as_it_is_read(seconds, text):
    assert format_budget(seconds) == text
    assert read_budget(text) == seconds


def test_training_gets_what_the_runs_leave():
    effort = plan_audit(1000.0, stages={"policies": 50.0, "attacks": 200.0}, step=0.1, fewest=100)
    assert effort.unit == 6000
    assert effort.seconds == pytest.approx(850.0)
    assert effort.stages == pytest.approx({"policies": 650.0, "attacks": 200.0})


def test_twice_the_cost_of_a_step_buys_half_the_steps():
    cheap, dear = (plan_audit(1000.0, stages={"attacks": 50.0}, step=step, fewest=100) for step in (0.1, 0.2))
    assert cheap.unit == 2 * dear.unit


@pytest.mark.parametrize(("playing", "step"), [(500.0, 0.001), (0.0, 10.0), (1e4, 1.0)])
def test_a_budget_that_leaves_nothing_to_learn_with_is_refused_and_the_one_named_will_do(playing, step):
    with pytest.raises(ConfigError, match="training needs its share: use --budget") as raised:
        plan_audit(600.0, stages={"attacks": playing}, step=step, fewest=1000)
    enough = read_budget(str(raised.value).partition("--budget ")[2].partition(",")[0])
    assert plan_audit(enough, stages={"attacks": playing}, step=step, fewest=1000).unit >= 1000


def test_the_effort_is_measured_on_what_will_be_played():
    effort = measure_plan(asked(WHITE_BOX, budget=3600.0), workers=2)
    assert effort.unit >= FEWEST_EPISODES * 4
    assert 0.8 * 3600 < effort.seconds <= 0.86 * 3600
    assert sum(effort.stages.values()) == pytest.approx(effort.seconds, abs=0.5)
    assert list(effort.stages) == ["policies", "attacks", "references", "breaking"]


def test_more_workers_train_longer_in_the_same_time(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.budget.seconds_per_step", lambda *_, **__: 0.01)
    one, two, four = (measure_plan(asked(WHITE_BOX, budget=1e5), workers).unit for workers in (1, 2, 4))
    assert two == pytest.approx(2 * one, rel=0.05)
    assert two < four < 2 * two, "a rung of two policies employs two workers"


def test_a_hopeless_budget_is_refused_before_anything_is_loaded(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.budget.load_dataset", None)
    with pytest.raises(ConfigError, match=r"^budget is 5s; all runs take at least .* --budget \d+m or more, fewer"):
        measure_plan(asked(WHITE_BOX, budget=5.0), workers=2)


def test_a_budget_that_is_too_small_is_refused_after_the_cheapest_run(monkeypatch):
    timed = []

    def estimate(training):
        timed.append(type(training.scenario.attackers[0].attack).__name__)
        return 1000.0

    monkeypatch.setattr("sparring.experiments.audit.budget.estimate_seconds", estimate)
    monkeypatch.setattr("sparring.experiments.audit.budget.seconds_per_step", None)
    with pytest.raises(ConfigError, match="all runs take at least"):
        measure_plan(asked(WHITE_BOX, budget=3600.0), workers=2)
    assert timed == ["NoAttack"]


def test_the_reference_rules_are_part_of_the_budget(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.budget.seconds_per_step", lambda *_, **__: 0.01)
    monkeypatch.setattr("sparring.experiments.audit.budget.estimate_seconds", lambda training: 1.6)
    one, two = (
        measure_plan(asked(WHITE_BOX, f"data.root_size={size}", budget=3600.0), workers=1).stages["references"]
        for size in (0, 20)
    )
    assert one == pytest.approx(6.0 + 3 * (2.0 + 2.0 + 2.04), abs=0.1), "mean alone: median is audited"
    assert two == pytest.approx(6.0 + 6 * (2.0 + 2.0 + 2.04), abs=0.1)


def test_smaller_overheads_leave_more_for_training(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.budget.seconds_per_step", lambda *_, **__: 0.01)
    monkeypatch.setattr("sparring.experiments.audit.budget.estimate_seconds", lambda training: 0.5)
    told = []

    def overheads(estimate):
        told.append(estimate)
        return Overheads(run=0.1, stage=2.0)

    assumed = measure_plan(asked(WHITE_BOX, budget=600.0), 1)
    measured = measure_plan(asked(WHITE_BOX, budget=600.0), 1, overheads)
    assert told == [0.5], "measured once, after the run without an attack"
    assert measured.stages["references"] == pytest.approx(2.0 + 6 * (0.6 + 0.6 + 0.64), abs=0.1)
    assert measured.unit > assumed.unit
    assert measured.seconds == pytest.approx(assumed.seconds, rel=0.01)


def test_overheads_are_measured_by_starting_workers_and_playing_runs(monkeypatch):
    ticks = iter([0.0, 10.0, 20.0, 23.0, 30.0, 32.0])
    monkeypatch.setattr("sparring.experiments.audit.overheads.perf_counter", lambda: next(ticks))
    request = asked(WHITE_BOX)
    config = request.run(request.honest, 0)
    overheads = measure_overheads(InlineWorkers(), config, request.catalogues, estimate=0.5)
    assert overheads == Overheads(run=1.5, stage=pytest.approx(12.0)), "the faster of two runs"


def test_a_long_run_is_not_played_for_its_overhead(monkeypatch):
    monkeypatch.setattr("sparring.experiments.audit.overheads.run", None)
    request = asked(WHITE_BOX)
    config = request.run(request.honest, 0)
    overheads = measure_overheads(InlineWorkers(), config, request.catalogues, estimate=60.0)
    assert overheads == Overheads(CAREFUL.run, LEAST.stage)


def test_the_effort_of_an_audit_is_kept(tmp_path):
    assert read_plan(tmp_path, asked()) is None
    write_plan(tmp_path, asked(), effort=SMALL)
    assert read_plan(tmp_path, asked()) == SMALL
    assert json.loads((tmp_path / "audit.json").read_text())["asked"]["defense"] == {"name": "median"}


def test_the_folder_of_another_audit_is_refused(tmp_path):
    write_plan(tmp_path, asked(), effort=SMALL)
    with pytest.raises(ConfigError, match="holds another audit; choose another folder"):
        read_plan(tmp_path, asked(seeds=3))
