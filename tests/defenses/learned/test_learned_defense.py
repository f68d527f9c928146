import numpy as np
import pytest
import torch

from sparring.attacks import LocalSearchActions
from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.plans import SERVER_CHECKS, server_view
from sparring.contracts import RoundPlan
from sparring.defenses import (
    DEFENSES,
    ClippedTrimmedMean,
    DefenseActions,
    GradedTrust,
    LearnedDefense,
    NeuroClip,
    SynthesisActions,
    defense_policy,
)
from sparring.errors import ConfigError
from sparring.models.summary import summary
from sparring.policies import PolicyVersion, save_policy
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.registry import build
from tests.attacks.learned.policies import constant, trained
from tests.attacks.views import LOGISTIC
from tests.defenses.learned.policies import defender, written

INPUTS = LOGISTIC.size


@pytest.mark.parametrize("check", SERVER_CHECKS, ids=format_check_name)
def test_a_learned_defense_conforms(check, tmp_path):
    assert failures(check, LearnedDefense(written(tmp_path / "policy", 0.1, 0.2, 0.3, inputs=INPUTS))) == ()


def test_the_action_of_a_round_sets_its_rule_and_its_repair(tmp_path):
    ranges = DefenseActions(max_norm=(0.1, 10), trim=(0, 0.8), bound=(1, 9))
    defense = LearnedDefense(written(tmp_path / "policy", 0.0, 1.0, -1.0, inputs=INPUTS, acting=ranges))
    (rule, repair), memory = defense.plan(server_view(), {})
    assert isinstance(rule, ClippedTrimmedMean)
    assert (rule.max_norm, rule.trim) == pytest.approx((1, 0.8))
    assert repair == NeuroClip(1.0)
    assert defense.deployed(memory) == repair
    assert defense.deployed({}) is None


@pytest.mark.parametrize("check", SERVER_CHECKS, ids=format_check_name)
def test_a_synthesis_conforms(check, tmp_path):
    path = written(tmp_path / "policy", *[0.3] * 7, inputs=INPUTS, acting=SynthesisActions())
    assert failures(check, LearnedDefense(path)) == ()


def test_a_synthesis_is_saved_with_its_ranges(tmp_path):
    ranges = SynthesisActions(max_norm=(1.0, 4.0), trust=(0.5, 1.0), repair="none", relative=False)
    defense = LearnedDefense(written(tmp_path / "policy", *[1.0] * 6, inputs=INPUTS, acting=ranges))
    assert defense.acting == ranges
    rule = defense.plan(server_view(), {})[0].rule
    assert isinstance(rule, GradedTrust)
    assert (rule.max_norm, rule.trust, rule.relative) == (pytest.approx(4), 1, False)


def test_a_policy_with_another_number_of_actions_is_refused(tmp_path):
    path = written(tmp_path / "policy", 0.0, 0.0, inputs=INPUTS, acting=SynthesisActions())
    with pytest.raises(ConfigError, match=r"policy'; it decides 2 numbers, its actions have 7$"):
        LearnedDefense(path).check(LOGISTIC)


def test_the_policy_sees_the_last_layers_of_the_global_model(tmp_path):
    weights = torch.zeros(2, INPUTS)
    weights[0, 3], weights[1, 7] = 0.5, -0.5
    policy = PolicyNetwork(((weights, torch.zeros(2)),), squash="clip")
    saved = defense_policy([PolicyVersion(0, policy)], DefenseActions(repair="none"), layers=1)
    save_policy(tmp_path / "policy", saved)
    view = server_view(round=2)
    seen = summary(view.network, view.parameters, layers=1)
    action = np.array([seen[3] / 2, -seen[7] / 2], dtype=np.float32)
    expected = DefenseActions(repair="none").decode(action)
    assert LearnedDefense(str(tmp_path / "policy")).plan(view, {})[0] == expected


def test_a_file_may_hold_policies_that_follow_each_other(tmp_path):
    versions = [PolicyVersion(since, constant(number, 0.0, inputs=INPUTS)) for since, number in ((0, -1.0), (2, 1.0))]
    save_policy(tmp_path / "policy", defense_policy(versions, DefenseActions(repair="none"), layers=1))
    defense = LearnedDefense(str(tmp_path / "policy"))
    norms = [defense.plan(server_view(round=round), {})[0].rule.max_norm for round in range(4)]
    assert norms == pytest.approx([0.01, 0.01, 10, 10])


def test_it_is_named_with_its_file(tmp_path):
    assert build("defense", DEFENSES, {"name": "learned", "policy": "file"}) == LearnedDefense("file")
    with pytest.raises(ConfigError, match=r"^defense 'learned' lacks 'policy'; set defense\.policy$"):
        build("defense", DEFENSES, {"name": "learned"})


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "there is no such file, write one with save_policy$"),
        (lambda path: path.write_bytes(b"\x80\x04."), "it holds no learned defense, write one with save_policy$"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "it holds no learned defense, write one with save_policy$"),
        (
            lambda path: save_policy(path, trained(0.5, inputs=INPUTS)),
            r"it holds the policy for attack\.name=learned, write one with save_policy$",
        ),
        (lambda path: written(path, 0.0, 0.0, inputs=99), "it sees 99 numbers, this model shows 12$"),
        (
            lambda path: save_policy(path, defense_policy([], DefenseActions(), layers=1)),
            "it holds no policy yet, write one with save_policy$",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(write, message, tmp_path):
    path = tmp_path / "policy"
    write(path)
    with pytest.raises(ConfigError, match=rf"^defense\.policy is '.*policy'[;:] {message}") as error:
        LearnedDefense(str(path)).plan(server_view(), {})
    assert "\n" not in str(error.value)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "policy"
    written(path, 0.0, 0.0, inputs=INPUTS)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ConfigError, match="it holds no learned defense"):
        LearnedDefense(str(path)).check(LOGISTIC)


def test_actions_of_another_side_are_refused(tmp_path):
    saved = defender(0.0, 0.0, inputs=INPUTS)
    wrong = trained(0.0, 0.0, inputs=INPUTS, acting=LocalSearchActions()).acting
    save_policy(tmp_path / "policy", type(saved)("defense", saved.versions, wrong))
    with pytest.raises(ConfigError, match=r"policy': unknown acting 'local_search'; known: clipped_trimmed_mean, "):
        LearnedDefense(str(tmp_path / "policy")).check(LOGISTIC)


def test_a_plan_is_a_rule_and_a_repair():
    assert RoundPlan(ClippedTrimmedMean()).repair is None


def test_nothing_but_the_global_model_is_seen(tmp_path):
    weights = torch.linspace(-1, 1, 7 * INPUTS).view(7, INPUTS)
    saved = defense_policy([PolicyVersion(0, PolicyNetwork(((weights, torch.zeros(7)),)))], SynthesisActions())
    save_policy(tmp_path / "policy", saved)
    defense, view = LearnedDefense(str(tmp_path / "policy")), server_view()
    plan, _ = defense.plan(view, {})
    others = [view._replace(round=9), view._replace(clients=view.clients[:1]), view._replace(rng=stream(7, "other"))]
    assert all(defense.plan(other, {})[0] == plan for other in others)
    assert defense.plan(view._replace(parameters=view.parameters.roll(1)), {})[0] != plan
