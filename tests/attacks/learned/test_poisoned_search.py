from dataclasses import dataclass, replace

import pytest
import torch

from sparring.attacks import Bars, LearnedAttack, PoisonedSearch, PoisonedSearchActions, Square
from sparring.attacks.backdoor.implant import BackdoorPoison
from sparring.conformance import failures
from sparring.conformance.adversary import attacker_view
from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.check import format_check_name
from sparring.data import Iid, divide, load
from sparring.defenses import Mean
from sparring.errors import ConfigError
from sparring.federation import Attacker, Federation, Scenario, train
from sparring.models import Logistic, network
from sparring.policies import save_policy
from sparring.training.descent import descend
from tests.attacks.learned.policies import trained
from tests.attacks.learned.test_acting import action
from tests.attacks.views import LOGISTIC

SMALL_BARS = Bars(rows=(0, 2), columns=(0, 4), length=3)


@dataclass(frozen=True)
class Darken:
    """A trigger for feature vectors."""

    def stamp(self, images):
        return torch.zeros_like(images)


FEATURES = BackdoorPoison(Darken(), target=1, classes=3)


def digits_scenario(attack, malicious=5):
    digits = load("digits")
    federation = Federation(
        network=network(Logistic(), digits),
        shards=divide(digits.train, Iid(), clients=20, seed=0),
        test=digits.test,
        sampled=10,
    )
    return Scenario(federation, Mean(), [Attacker(malicious, attack)])


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("relative", [False, True])
def test_a_poisoned_search_conforms(check, relative):
    assert failures(check, PoisonedSearch(FEATURES, scale=2.0, steps=2, relative=relative)) == ()


def test_its_length_is_the_scale_or_in_units_of_the_own_updates():
    single, double = (PoisonedSearch(FEATURES, scale=scale).craft(attacker_view()) for scale in (1.0, 2.0))
    torch.testing.assert_close(2 * single, double)
    view = attacker_view()
    relative = PoisonedSearch(FEATURES, scale=3.0, relative=True).craft(view)
    assert float(relative[0].norm()) == pytest.approx(3 * float(view.own().norm(dim=1).median()), rel=1e-5)


def test_it_descends_on_the_poisoned_examples(monkeypatch):
    seen = []

    def watched(network, start, *, batches, lr):
        batches = list(batches)
        seen.extend(batches)
        return descend(network, start, batches=batches, lr=lr)

    monkeypatch.setattr("sparring.attacks.learned.poisoned_search.descend", watched)
    PoisonedSearch(replace(FEATURES, ratio=1.0), steps=3).craft(attacker_view())
    assert len(seen) == 3
    assert all((batch.labels == 1).all() for batch in seen)
    seen.clear()
    PoisonedSearch(replace(FEATURES, ratio=0.0), steps=3).craft(attacker_view())
    assert not any((batch.inputs == 0).all() for batch in seen)


def test_more_triggered_examples_implant_a_stronger_backdoor(tmp_path):
    reached = {}
    for ratio in (-1.0, 1.0):
        actions = PoisonedSearchActions(trigger=SMALL_BARS, scale=(1, 5), steps=(1, 10))
        scenario = digits_scenario(None)
        inputs = scenario.federation.network.size  # the observation of one layer is all of it, and a share
        path = tmp_path / f"{ratio}.safetensors"
        save_policy(path, trained(1.0, 1.0, ratio, inputs=inputs + 1, acting=actions))
        reached[ratio] = train(digits_scenario(LearnedAttack(str(path))), rounds=20, every=20).backdoor_metrics
    assert reached[1.0]["backdoor_accuracy"] > 0.5 > reached[-1.0]["backdoor_accuracy"]


def test_three_numbers_set_scale_steps_and_ratio():
    actions = PoisonedSearchActions(scale=(0.01, 100), steps=(1, 49), trigger=Square(), target=3, relative=True)
    attack = actions.attack(action(0, 1, 0.5))
    assert attack.scale == pytest.approx(1.0)
    assert (attack.steps, attack.backdoor.ratio, attack.relative) == (49, 0.75, True)
    assert (attack.backdoor.trigger, attack.backdoor.target) == (Square(), 3)
    assert actions.size(LOGISTIC) == 3


def test_a_policy_keeps_its_trigger_and_presents_its_backdoor(tmp_path):
    actions = PoisonedSearchActions(trigger=SMALL_BARS, target=3, source=4)
    save_policy(tmp_path / "policy.safetensors", trained(0.0, 0.0, 0.0, inputs=LOGISTIC.size + 1, acting=actions))
    attack = LearnedAttack(str(tmp_path / "policy.safetensors"))
    assert attack.acting == actions
    assert attack.backdoor == actions.backdoor
    (backdoor,) = digits_scenario(attack).backdoors
    assert (backdoor.target, backdoor.source, backdoor.trigger) == (3, 4, SMALL_BARS)


def test_a_policy_of_another_kind_has_no_backdoor(tmp_path):
    save_policy(tmp_path / "policy.safetensors", trained(0.0, 0.0, inputs=LOGISTIC.size + 1))
    attack = LearnedAttack(str(tmp_path / "policy.safetensors"))
    assert attack.backdoor is None
    assert digits_scenario(attack).backdoors == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": (0, 1)}, r"acting.scale is \[0, 1\]; it must rise from above 0"),
        ({"ratio": (0.5, 1.5)}, r"acting.ratio is \[0.5, 1.5\]; it must rise from at least 0 to at most 1"),
        ({"target": 10}, r"acting.target is 10; with 10 classes it must be 0 to 9"),
    ],
)
def test_ranges_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        PoisonedSearchActions(**options)


@pytest.mark.parametrize("options", [{"scale": -1.0}, {"steps": 0}])
def test_settings_that_mean_nothing_are_refused(options):
    with pytest.raises(ConfigError, match=r"poisoned_search.(scale|steps) is"):
        PoisonedSearch(FEATURES, **options)
