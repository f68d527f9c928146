import json
from dataclasses import asdict

import pytest

import sparring.cli.audit
from sparring.cli.main import main
from sparring.errors import ConfigError
from sparring.experiments.audit.result import verdict_to_json
from sparring.experiments.jobs.workers import InlineWorkers
from tests.cli.test_main import refusal
from tests.experiments.audit.asking import SMALL, TASK, WHITE_BOX
from tests.experiments.audit.verdicts import finished, verdict
from tests.experiments.plugging import MODULE, write_plugin

MIDRANGE = f"{MODULE}:Midrange"


@pytest.fixture
def calls(monkeypatch):
    """Let no audit be played; return what each was asked for, and where."""
    calls = []

    def told(request, folder, **_):
        calls.append((request, folder))
        return finished(verdict())

    monkeypatch.setattr("sparring.cli.options.LocalWorkers", lambda count: InlineWorkers())
    monkeypatch.setattr(sparring.cli.audit, "audit", told)
    return calls


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Work beside a module with a rule."""
    write_plugin(tmp_path, monkeypatch)
    return ["audit", "--defense", MIDRANGE, *TASK[:-1], WHITE_BOX, "threat.assumed_malicious=0", "--seeds", "2"]


def test_a_rule_of_ones_own_takes_the_place_of_one_by_name(calls, own, capsys):
    assert main([*own, "--out", "audit", "--budget", "2h"]) == 0
    ((request, folder),) = calls
    assert (request.defense, request.malicious, request.seeds, request.budget) == ("midrange", 1, 2, 7200.0)
    assert [plugin.module for plugin in request.catalogues.plugins] == [MIDRANGE]
    assert str(folder) == "audit"
    assert capsys.readouterr().err == "sparring: audit of midrange, logistic on synthetic, 4 rounds, in audit\n"


def test_the_verdict_is_told_in_a_small_terminal(calls, own, capsys):
    assert main(own) == 0
    lines = capsys.readouterr().out.splitlines()
    terms = [line.split("  ")[0] for line in lines[:7]]
    assert terms == ["clean", "hand-crafted", "learned", "gap", "intervals", "report", "policy"]
    assert lines[7].startswith("With 1 of 8 clients malicious, the accuracy of midrange drops from ")
    assert max(map(len, lines)) <= 80


def test_attacks_are_listed_worst_first_and_rules_beside_each_other(calls, own, capsys):
    assert main(own) == 0
    out = capsys.readouterr().out
    ranked, rules = out[out.index("attacks, worst first") :].split("reference rules", 1)
    places = [ranked.index(f"\n{attack} ") for attack in ("learned 1", "eb", "gaussian", "none")]
    assert places == sorted(places)
    assert ["eb", "0.600", "0.352–0.848"] in [line.split() for line in ranked.splitlines()]
    places = [rules.index(f"\n{rule} ") for rule in ("krum", "mean", "median")]
    assert places == sorted(places)
    assert "failed" in rules


def test_the_verdict_can_be_one_json_object(calls, own, capsys):
    assert main([*own, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert verdict_to_json(verdict()).items() <= printed.items()
    places = {"audit": "audit", "report": "audit/report.html", "policy": "policy"}
    assert {"defense": "midrange", "effort": asdict(SMALL), **places}.items() <= printed.items()


def test_audits_that_are_given_no_folder_have_one_by_their_digest(calls, own):
    for seeds in ("2", "3", "2"):
        assert main([*own, "--seeds", seeds]) == 0
    folders = [str(folder) for _, folder in calls]
    assert folders[0] == folders[2] != folders[1]
    assert folders[0] == f"audits/{calls[0][0].digest[:12]}"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--budget", "soon"], "budget is 'soon'; write it as in 90s, 10m or 1.5h"),
        (["--seeds", "1"], "seeds is 1; it must be from 2, for an interval, to 1000"),
        (["--defense", "nowhere"], "'nowhere' is not a class; write it as in package.module:Class"),
        (
            ["--defense", "nowhere:Rule"],
            "there is no module 'nowhere'; install it, or change to the folder that holds it",
        ),
        (
            ["--defense", "sparring.defenses.aggregation.krum:Krum", "defense.name=mean"],
            "defense.name is 'mean', and --defense is given",
        ),
        (
            ["--defense", "sparring.attacks.untargeted.inner_product:InnerProduct"],
            "--defense is 'sparring.attacks.untargeted.inner_product:InnerProduct', which is one of",
        ),
        (["defense.name=krumm"], "unknown defense 'krumm'; did you mean 'krum'?"),
        (["missing.yaml"], "missing.yaml: no such file or directory"),
        (["--jobs", "2", "--ray", "local"], "--jobs and --ray are both given; choose one"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(folder, capsys, words, line):
    assert main(["audit", *words]) == 2
    assert refusal(capsys).startswith(line)


def test_a_rule_that_is_wrong_is_blamed_before_anything_is_written(own, tmp_path, capsys):
    source = (tmp_path / f"{MODULE}.py").read_text()
    (tmp_path / f"{MODULE}.py").write_text(source.replace("return low / 2 + high / 2, memory", "return None"))
    assert main([*own, "--out", "audit"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "sparring: defense Midrange returned NoneType; it must return a step and its memory"
    assert not (tmp_path / "audit").exists()


@pytest.fixture
def planned(monkeypatch):
    """Let no plan be measured; return the goals for which one was asked for."""
    goals = []

    def plan(request, folder, **_):
        goals.append(request.goal.name)
        return SMALL

    monkeypatch.setattr(sparring.cli.audit, "plan_or_refuse", plan)
    return goals


def test_a_budget_too_small_for_the_second_goal_is_refused_before_the_first_audit(calls, monkeypatch, tmp_path, capsys):
    def plan(request, folder, **_):
        if request.goal.name == "backdoor":
            raise ConfigError("budget is 5m; all runs take 9m")
        return SMALL

    monkeypatch.setattr(sparring.cli.audit, "plan_or_refuse", plan)
    assert main(["audit", "defense.name=median", "--goal", "both", "--out", "audit"]) == 2
    shared = "2 goals share the budget equally; for one of them, "
    assert refusal(capsys) == f"{shared}budget is 5m; all runs take 9m"
    assert calls == []


def test_one_page_tells_of_both_goals(calls, planned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audit").mkdir()
    assert main(["audit", "defense.name=median", "--goal", "both", "--out", "audit"]) == 0
    page = (tmp_path / "audit" / "report.html").read_text()
    assert planned == ["untargeted", "backdoor"]
    assert 'href="untargeted/report.html"' in page
    assert "Audit of median" in page
    out = " ".join(capsys.readouterr().out.split())
    assert "the strongest attack on median is learned 1, accuracy 0.150 (accuracy without an attack 0.900)" in out
    assert "12 of 50 clients halve the accuracy with eb" in out


def test_both_goals_are_two_audits_that_share_the_budget(calls, planned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audit").mkdir()
    words = ["audit", "defense.name=median", "--goal", "both", "--budget", "2h", "--out", "audit", "--json"]
    assert main(words) == 0
    asked_for = [(request.goal.name, request.budget, str(folder)) for request, folder in calls]
    assert asked_for == [("untargeted", 3600.0, "audit/untargeted"), ("backdoor", 3600.0, "audit/backdoor")]
    captured = capsys.readouterr()
    assert set(json.loads(captured.out)) == {"untargeted", "backdoor", "report"}
    assert "audit of median with the goal backdoor, logistic on digits, 40 rounds, in audit/backdoor" in captured.err


def test_an_unknown_goal_is_one_line(folder, capsys):
    assert main(["audit", "--goal", "fame"]) == 2
    assert refusal(capsys) == "goal is 'fame'; it must be one of: untargeted, backdoor, both"
