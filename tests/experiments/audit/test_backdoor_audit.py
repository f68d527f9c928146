import json
import shlex

import pytest

from sparring.attacks import LearnedAttack
from sparring.cli.options import read_words
from sparring.contracts import Model
from sparring.errors import ConfigError
from sparring.experiments import apply_overrides
from sparring.experiments.analysis.frames import by_seed, read_frame
from sparring.experiments.audit import audit, read_audit, read_request
from sparring.experiments.audit.goals import BACKDOOR, UNTARGETED, fit_actions, measure_backdoor
from sparring.experiments.audit.report import (
    audit_page,
    command_to_repeat_audit,
    describe_audit,
    describe_references,
)
from sparring.experiments.audit.result import find_worst, judge
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.report import read_study
from sparring.federation.state import initial_state
from tests.experiments.audit.asking import WHITE_BOX, asked, shorten
from tests.experiments.audit.verdicts import BROKEN, LEARNED, finished, runs

SMALL = (
    *("data.name=digits", "model.name=logistic", "federation.clients=8", "federation.sampled=4"),
    *("federation.rounds=4", "federation.batch=4", "defense.name=mean", "attack.malicious=2"),
)
CRAFTED = {"bfl", "dba", "model_replacement", "neurotoxin", "pgd", "targeted_eb"}


def wanted(*settings, seeds=2, goal="backdoor"):
    document = apply_overrides({}, (*SMALL, *settings))
    return read_request(document, seeds=seeds, budget=600.0, goal=goal)


@pytest.fixture(scope="module")
def implanted(tmp_path_factory):
    """A finished audit whose attackers want a backdoor."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return audit(wanted(), tmp_path_factory.mktemp("audits") / "audit")


def test_all_backdoors_have_the_same_trigger_and_target():
    for settings, trigger, target in (
        ((), {"name": "bars", "rows": [0, 2], "columns": [0, 4], "length": 3}, 2),
        (("attack.trigger={name: bars, rows: [1, 3], columns: [0, 4], length: 2}", "attack.target=5"), None, 5),
    ):
        request = wanted(*settings)
        assert request.attacks.keys() == CRAFTED
        assert {section["target"] for section in request.attacks.values()} == {target}
        assert {section["source"] for section in request.attacks.values()} == {None}
        triggers = [section["trigger"] for section in (request.honest, *request.attacks.values())]
        assert all(each == (trigger or request.backdoor["trigger"]) for each in triggers)


def test_an_attack_that_cannot_use_the_trigger_is_left_out():
    assert wanted("attack.trigger=square").attacks.keys() == CRAFTED - {"dba"}


def test_an_attack_of_the_configuration_is_run_with_the_backdoor():
    request = wanted("attack.name=bfl", "attack.boost=5.0", "attack.target=4")
    assert request.attacks["bfl"]["boost"] == 5.0
    assert {section["target"] for section in request.attacks.values()} == {4}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("attack.name=ipm",), "attack.name is 'ipm', which has no backdoor; use one that has, or another goal"),
        (("attack.target=-1",), "bfl.target is -1; it must be at least 0"),
        (
            ("attack.trigger=thing",),
            "attack.trigger is 'thing'; a learned backdoor keeps its trigger by name, use one of",
        ),
        (("attack.ratio=0.1",), "attack has 'ratio' and no name"),
    ],
)
def test_what_is_no_backdoor_is_refused(settings, message):
    with pytest.raises(ConfigError) as raised:
        wanted(*settings)
    assert message in str(raised.value)


def test_an_unknown_goal_is_refused():
    with pytest.raises(ConfigError, match="goal is 'fame'; it must be one of: untargeted, backdoor"):
        wanted(goal="fame")


def test_the_goal_is_in_the_digest_only_where_it_is_not_the_default():
    assert "goal" not in asked().document
    digests = {request.digest for request in (wanted(goal="untargeted"), wanted(), wanted("attack.target=3"))}
    assert len(digests) == 3


def test_the_command_on_the_page_asks_for_the_same_audit():
    for settings in ((), ("attack.target=3",), ("attack.name=bfl", "attack.boost=2.0", "seed=4")):
        request = wanted(*settings)
        sparring, command, *words, option, goal, _, _, _, _ = shlex.split(command_to_repeat_audit(request))
        assert (sparring, command, option, goal) == ("sparring", "audit", "--goal", "backdoor")
        assert read_request(read_words(words), seeds=2, budget=600.0, goal=goal).digest == request.digest


def test_the_objective_weighs_the_backdoor_and_the_accuracy_on_the_attackers_own_examples():
    config = wanted().run(wanted().honest, 3)
    scenario = build_scenario(config, load_dataset(config))
    objective, (backdoor,) = measure_backdoor(scenario), scenario.backdoors
    assert (objective.triggered.labels == backdoor.target).all()
    assert len(objective.triggered.labels) == int((objective.clean.labels != backdoor.target).sum())
    assert 0 <= objective.value(Model(scenario.federation.network, initial_state(scenario.federation).parameters)) <= 1
    actions = fit_actions(BACKDOOR.contenders["poisoned_relative"].acting, scenario)
    assert (actions.trigger, actions.target, actions.relative) == (backdoor.trigger, backdoor.target, True)
    untouched = UNTARGETED.contenders["relative"].acting
    assert fit_actions(untouched, scenario) is untouched


def test_attacks_are_compared_by_their_score():
    frame = runs(none=(0.9, 0.92), bfl=(0.9, 0.9), dba=(0.5, 0.5))
    frame["backdoor_accuracy"] = [0.0, 0.0, 0.8, 0.8, 0.9, 0.9]
    worst = find_worst(frame, ("dba", "bfl"), goal=BACKDOOR)
    assert worst.attack == "bfl"
    assert worst.summary.mean == pytest.approx(0.85)
    assert {name: part.mean for name, part in worst.parts.items()} == pytest.approx(
        {"accuracy": 0.9, "backdoor_accuracy": 0.8}
    )


def test_half_of_the_images_or_of_the_accuracy_breaks_a_rule():
    assert BACKDOOR.breaks(0.5, clean=0.9)
    assert not BACKDOOR.breaks(0.4, clean=0.9)
    assert UNTARGETED.breaks(0.45, clean=0.9)
    assert not UNTARGETED.breaks(0.5, clean=0.9)


def test_every_run_measures_the_backdoor_also_without_an_attack(implanted):
    frame = read_frame(implanted.folder / "attacks")
    assert set(frame["attack"]) == {"none", *CRAFTED, *implanted.policies}
    assert frame["backdoor_accuracy"].notna().all()
    assert implanted.policies.keys() == {"learned poisoned_search", "learned poisoned_relative", "learned td3"}


def test_the_verdict_is_on_the_highest_scores_and_paired_by_seed(implanted):
    frame, verdict = read_frame(implanted.folder / "attacks"), implanted.verdict
    scores = {
        name: by_seed(frame, {"attack": name}, metric="backdoor_score") for name in {*CRAFTED, *implanted.policies}
    }
    assert verdict.crafted.attack == max(sorted(CRAFTED), key=lambda name: sum(scores[name].values()))
    pairs = zip(scores[verdict.learned.attack].values(), scores[verdict.crafted.attack].values(), strict=True)
    assert verdict.difference.difference == pytest.approx(sum(learned - crafted for learned, crafted in pairs) / 2)
    policy = implanted.policies[verdict.learned.attack]
    assert policy.harm == max(each.harm for each in implanted.policies.values())
    assert LearnedAttack(str(policy.policy)).backdoor.target == 2


def test_the_breaking_point_is_a_backdoor_accuracy_of_half(implanted):
    breaking = implanted.verdict.breaking
    reached = [count for count, accuracy in breaking.tried.items() if accuracy >= 0.5]
    assert breaking.clients == (min(reached) if reached else None)


def test_a_finished_audit_is_read_from_its_folder(implanted):
    read, request = read_audit(implanted.folder)
    assert read == implanted
    assert request.document == wanted().document
    written = json.loads((implanted.folder / "verdict.json").read_text())
    assert (written["goal"], written["metric"]) == ("backdoor", "backdoor_score")
    assert command_to_repeat_audit(request) == command_to_repeat_audit(wanted())


def test_the_page_and_the_sentences_are_about_the_backdoor(implanted):
    first, _, halving = describe_audit(implanted, wanted())
    assert first.startswith("With 2 of 8 clients malicious, mean has a backdoor accuracy of ")
    assert "a backdoor accuracy of 50%" in halving
    html = audit_page(read_study(implanted.folder / "attacks"), implanted, request=wanted())
    assert html == (implanted.folder / "report.html").read_text()
    assert "score at the end" in html
    assert "Score of the attack after the last round" in html


def test_the_white_box_has_all_backdoors():
    assert wanted(WHITE_BOX).attacks.keys() == CRAFTED


def test_attacks_and_reference_rules_are_ranked_and_shown_by_their_score(implanted):
    means = [cell.summary.mean for cell in implanted.verdict.ranking]
    assert means == sorted(means, reverse=True)
    assert [row.rule for row in implanted.verdict.references] == ["mean", "median", "fltrust"]
    audited = implanted.verdict.references[0]
    assert audited.learned.mean == pytest.approx(implanted.verdict.learned.summary.mean)
    written = json.loads((implanted.folder / "verdict.json").read_text())["attacks"]
    assert [each["attack"] for each in written] == [cell.attack for cell in implanted.verdict.ranking]
    for each in written:
        halves = (each[metric]["mean"] for metric in ("accuracy", "backdoor_accuracy"))
        assert each["mean"] == pytest.approx(sum(halves) / 2)
    told = describe_references(implanted.verdict)
    assert told.endswith("one that is trained against another rule may have a higher score there.")
    assert told in (implanted.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("hit", "words"),
    [
        (
            (0.9, 0.95, 0.92),
            "The learned attack is stronger: its score is higher than that of the worst",
        ),
        (
            (0.1, 0.15, 0.12),
            "The learned attack is weaker: its score is lower than that of the worst",
        ),
        ((0.59, 0.66, 0.58), "The learned attack is not weaker than the worst hand-crafted one by more than 0.02"),
        ((0.41, 0.54, 0.52), "The learned attack is not stronger than the worst hand-crafted one by more than 0.02"),
        ((0.1, 0.9, 0.6), "It is undecided whether the learned attack has a higher or a lower score"),
    ],
)
def test_whether_the_learned_backdoor_is_stronger_is_said_of_the_score(hit, words):
    frame = runs(none=(0.9,) * 3, bfl=(0.9,) * 3, learned_1=(0.9,) * 3)
    frame["backdoor_accuracy"] = [0.0, 0.0, 0.0, 0.5, 0.6, 0.55, *hit]
    crafted = find_worst(frame, ("bfl",), goal=BACKDOOR)
    told = judge(frame, crafted, learned=LEARNED, breaking=BROKEN, goal=BACKDOOR)
    assert describe_audit(finished(told), wanted())[1].startswith(words)
