import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import (
    ATTACKS,
    CoordinatedAttack,
    LearnedAttack,
    ScaledGradientActions,
    SeparateSearchActions,
    TeamActions,
    attack_policy,
)
from sparring.conformance import failures
from sparring.conformance.adversary import OWN, attacker_view, updates
from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.check import format_check_name
from sparring.contracts import BlackBoxView, Team, WhiteBoxView
from sparring.errors import ConfigError, UnknownName
from sparring.federation.threat import Threat
from sparring.policies import Features, PolicyVersion, save_policy
from sparring.policies.network import PolicyNetwork
from sparring.policies.saved_policy import load_policy
from sparring.registry import build
from tests.attacks.learned.policies import trained
from tests.attacks.views import LOGISTIC

INPUTS = LOGISTIC.size + 2
"""The model, the share of malicious clients, and the own rank."""
PLAIN = ScaledGradientActions(rescaled=0)
OF_THREE = Team(3, 10)
CLIENTS = (9, 2, 5)
"""Their ranks are 2, 0 and 1."""


def by_rank(*, share=0.0, inputs=INPUTS, numbers=1):
    """Return a member's network that answers its rank, plus the observed share times a number."""
    weight = torch.zeros(numbers, inputs)
    weight[:, -1], weight[:, -2] = 1, share
    return PolicyNetwork(((weight, torch.zeros(numbers)),), squash="clip")


@pytest.fixture
def file(tmp_path):
    """Return a writer of a team's policy."""

    def write(network=None, acting=PLAIN, *, team=OF_THREE, **settings):
        saved = attack_policy([PolicyVersion(0, network or by_rank())], TeamActions(acting, team), **settings)
        save_policy(tmp_path / "team.safetensors", saved)
        return str(tmp_path / "team.safetensors")

    return write


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("coordination", ["full", "distribution", "none"])
def test_a_coordinated_attack_conforms(check, coordination, file):
    searching = by_rank(numbers=2)
    attack = CoordinatedAttack(file(searching, SeparateSearchActions(steps=(1, 5))), coordination=coordination)
    assert failures(check, attack) == ()


def test_each_client_acts_by_its_rank(file):
    rows = CoordinatedAttack(file()).craft(attacker_view(clients=CLIENTS))
    torch.testing.assert_close(rows, OWN * torch.tensor([2 / 3, -2 / 3, 0])[:, None])


def test_a_policy_of_three_is_played_by_nine(file):
    own = updates(9, "nine")
    rows = CoordinatedAttack(file(by_rank(share=1.0))).craft(attacker_view(own=own))
    share = 9 / 16
    factors = ((2 * torch.arange(9) + 1) / 9 - 1 + share).clamp(-1, 1)
    torch.testing.assert_close(rows, own * factors[:, None])


@pytest.mark.parametrize("coordination", ["distribution", "none"])
def test_without_coordination_each_acts_as_if_it_were_the_only_one(file, coordination):
    rows = CoordinatedAttack(file(by_rank(share=1.0)), coordination=coordination).craft(attacker_view())
    torch.testing.assert_close(rows, OWN * 0.1)  # one of ten, at the rank of a lone member


def test_the_learned_examples_are_shared_unless_nothing_is(file):
    examples = Batch(torch.zeros(4, 3), torch.tensor([1, 1, 1, 1]))
    path = file(by_rank(numbers=2), SeparateSearchActions(steps=(1, 1)), examples=examples)
    for coordination, share_them in {"full": True, "distribution": True, "none": False}.items():
        rows = CoordinatedAttack(path, coordination=coordination).craft(attacker_view())
        # The only change that raises the loss of blank examples is one of the biases.
        assert (rows[:, :-3].abs().max() == 0) == share_them


def test_a_policy_that_observes_features_is_played(file):
    features = Features(9)
    path = file(by_rank(inputs=INPUTS + features.size), features=features)
    torch.testing.assert_close(
        CoordinatedAttack(path).craft(attacker_view()), OWN * torch.tensor([-2 / 3, 0, 2 / 3])[:, None]
    )


def test_the_file_holds_the_team(file):
    saved = load_policy(file(team=Team(50, 200)), "attack")
    assert saved.team == Team(50, 200)
    assert CoordinatedAttack(file()).acting == PLAIN


def test_knowledge_is_the_view_that_it_needs(file):
    path = file()
    assert CoordinatedAttack(path).needs is WhiteBoxView
    assert CoordinatedAttack(path, knowledge="black_box").needs is BlackBoxView
    with pytest.raises(ConfigError) as error:
        Threat(knowledge="black_box").check(CoordinatedAttack(path))
    assert str(error.value) == (
        "attack CoordinatedAttack needs white_box knowledge, threat.knowledge grants black_box; "
        "use threat.knowledge=white_box"
    )
    Threat(knowledge="black_box").check(CoordinatedAttack(path, knowledge="black_box"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"knowledge": "all"}, "coordinated.knowledge is 'all'; it must be one of: white_box, black_box"),
        ({"coordination": "some"}, "coordinated.coordination is 'some'; it must be one of: full, distribution, none"),
    ],
)
def test_other_settings_are_refused(settings, message):
    with pytest.raises(ConfigError) as error:
        CoordinatedAttack("team.safetensors", **settings)
    assert str(error.value) == message


def test_a_policy_for_another_model_is_refused(file):
    with pytest.raises(ConfigError, match=r"it sees 99 numbers, this model shows 14$"):
        CoordinatedAttack(file(by_rank(inputs=99))).craft(attacker_view())


def test_the_policy_of_one_attacker_is_refused_and_the_other_way_round(file, tmp_path):
    path = file()
    with pytest.raises(ConfigError, match=r"it is the policy of a team, use attack\.name=coordinated$"):
        LearnedAttack(path).craft(attacker_view())
    alone = str(tmp_path / "alone.safetensors")
    save_policy(alone, trained(0.0, inputs=LOGISTIC.size + 1))
    with pytest.raises(ConfigError, match=r"it is the policy of one attacker, use attack\.name=learned$"):
        CoordinatedAttack(alone).craft(attacker_view())


def test_it_is_named_with_its_file(file):
    path = file()
    assert build("attack", ATTACKS, {"name": "coordinated", "policy": path}) == CoordinatedAttack(path)
    with pytest.raises((ConfigError, UnknownName), match=r"^attack 'coordinated' lacks 'policy'; set attack\.policy$"):
        build("attack", ATTACKS, {"name": "coordinated"})


def test_ranks_do_not_depend_on_the_order_in_which_clients_were_drawn(file):
    attack, order = CoordinatedAttack(file()), np.array([2, 0, 1])
    first = attack.craft(attacker_view(clients=CLIENTS))
    second = attack.craft(attacker_view(own=OWN[order], clients=tuple(np.array(CLIENTS)[order].tolist())))
    assert torch.equal(first[order], second)
