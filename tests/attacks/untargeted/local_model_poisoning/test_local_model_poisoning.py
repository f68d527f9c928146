import pytest
import torch

from sparring.arrays import RELEASED
from sparring.attacks import AdaptiveLocalModelPoisoning, LocalModelPoisoning
from sparring.attacks.untargeted.local_model_poisoning.fltrust import TrustAscent, most_harmful
from sparring.attacks.untargeted.local_model_poisoning.krum import farthest_expected, farthest_selected
from sparring.attacks.untargeted.local_model_poisoning.trimmed_mean import beyond_deviation, beyond_range
from sparring.attacks.untargeted.observed_updates import mean_update
from sparring.conformance.adversary import BENIGN, OWN, Rule, attacker_view
from sparring.contracts import OmniscientView, WhiteBoxView
from sparring.defenses import Clipped, Krum, MultiKrum, NearestNeighborMixing
from sparring.errors import ConfigError
from sparring.random import stream


@pytest.mark.parametrize(
    ("family", "form"),
    [
        ("coordinate", "trimmed_mean"),
        ("clipping", "trimmed_mean"),
        ("filtering", "trimmed_mean"),
        ("distance", "krum"),
        ("root", "fltrust"),
    ],
)
@pytest.mark.parametrize("knowledge", ["full", "partial"])
def test_the_form_follows_the_family_of_the_rule(family, form, knowledge):
    chosen, named = (LocalModelPoisoning(form=each, knowledge=knowledge) for each in ("auto", form))
    assert torch.equal(chosen.craft(attacker_view(rule=Rule(family))), named.craft(attacker_view()))


def test_the_trimmed_mean_form_reaches_beyond_the_benign_range():
    rows = LocalModelPoisoning(form="trimmed_mean", scale=3.0).craft(attacker_view())
    expected = beyond_range(BENIGN, attacker_view().parameters, rows=3, scale=3.0, rng=stream(0, "attack"))
    assert torch.equal(rows, expected)


def test_the_krum_form_assumes_what_the_server_assumes():
    rows = LocalModelPoisoning(form="krum").craft(attacker_view(assumed_malicious=4))
    assert torch.equal(rows, farthest_selected(BENIGN, crafted=3, assumed=4).expand(3, -1))


@pytest.mark.parametrize(
    "rule", [Krum(malicious=1), Clipped(Krum(malicious=1)), NearestNeighborMixing(Krum(), 1)], ids=repr
)
@pytest.mark.parametrize("attack", [LocalModelPoisoning(), AdaptiveLocalModelPoisoning()], ids=repr)
def test_the_krum_form_assumes_the_rule_s_own_count_where_it_has_one(rule, attack):
    rows = attack.craft(attacker_view(rule=rule, assumed_malicious=4))
    assert torch.equal(rows, farthest_selected(BENIGN, crafted=3, assumed=1).expand(3, -1))
    assert not torch.equal(rows, farthest_selected(BENIGN, crafted=3, assumed=4).expand(3, -1))


def test_the_fltrust_form_starts_from_the_trimmed_mean_form():
    rng = stream(0, "attack")
    start = beyond_range(BENIGN, attacker_view().parameters, rows=3, scale=2.0, rng=rng)
    expected = most_harmful(start, benign=BENIGN, root=attacker_view().root(), rng=rng)
    assert torch.equal(LocalModelPoisoning(form="fltrust").craft(attacker_view()), expected)


def test_the_fltrust_form_goes_on_from_the_best_of_a_walk_where_it_is_told_to():
    rng = stream(0, "attack")
    start = beyond_range(BENIGN, attacker_view().parameters, rows=3, scale=2.0, rng=rng)
    expected = most_harmful(
        start, benign=BENIGN, root=attacker_view().root(), rng=rng, ascent=TrustAscent(lambda_choice="best")
    )
    assert torch.equal(LocalModelPoisoning(form="fltrust", lambda_choice="best").craft(attacker_view()), expected)


def test_with_partial_knowledge_the_own_updates_take_the_benign_ones_place():
    def rows(form):
        return LocalModelPoisoning(form=form, knowledge="partial").craft(attacker_view())

    rng = stream(0, "attack")
    start = beyond_deviation(OWN, rng)
    assert torch.equal(rows("trimmed_mean"), start)
    assert torch.equal(rows("krum"), farthest_expected(OWN).expand(3, -1))
    assert torch.equal(rows("fltrust"), most_harmful(start, benign=OWN, root=mean_update(OWN), rng=rng))


@pytest.mark.parametrize("form", ["trimmed_mean", "krum", "fltrust"])
def test_without_benign_updates_the_clients_submit_their_own(form):
    assert torch.equal(LocalModelPoisoning(form=form).craft(attacker_view(benign=OWN[:0])), OWN)


def test_partial_knowledge_needs_the_rule_alone():
    assert LocalModelPoisoning(knowledge="full").needs is OmniscientView
    assert LocalModelPoisoning(knowledge="partial").needs is WhiteBoxView


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "bulyan"}, r"^lmp\.form is 'bulyan'; it must be one of: auto, trimmed_mean, krum, fltrust$"),
        ({"knowledge": "none"}, r"^lmp\.knowledge is 'none'; it must be full or partial$"),
        ({"lambda_choice": "first"}, r"^lmp\.lambda_choice is 'first'; it must be last or best$"),
        ({"scale": 1.0}, r"^lmp\.scale is 1.0; it must be above 1 and finite$"),
        ({"scale": float("nan")}, r"^lmp\.scale is nan; it must be above 1 and finite$"),
        ({"scale": float("inf")}, r"^lmp\.scale is inf; it must be above 1 and finite$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        LocalModelPoisoning(**settings)


@pytest.mark.parametrize("attack", [LocalModelPoisoning(), AdaptiveLocalModelPoisoning()], ids=repr)
@pytest.mark.parametrize("rule", [Krum("sampled"), Clipped(Krum("sampled")), MultiKrum("sampled")], ids=repr)
def test_the_krum_form_assumes_the_true_count_against_an_oracle(rule, attack):
    rows = attack.craft(attacker_view(rule=rule, assumed_malicious=3))
    assert torch.equal(rows, farthest_selected(BENIGN, crafted=3, assumed=3).expand(3, -1))


@pytest.mark.parametrize("rule", [Krum(variant="released"), Clipped(Krum(variant="released"))], ids=repr)
def test_the_krum_form_scores_as_the_rule_does(rule):
    rows = LocalModelPoisoning().craft(attacker_view(rule=rule, assumed_malicious=3))
    assert torch.equal(rows, farthest_selected(BENIGN, crafted=3, assumed=3, score=RELEASED).expand(3, -1))
    assert not torch.equal(rows, LocalModelPoisoning().craft(attacker_view(rule=Krum(), assumed_malicious=3)))
    rows = LocalModelPoisoning(knowledge="partial").craft(attacker_view(rule=rule))
    assert torch.equal(rows, farthest_expected(OWN, RELEASED).expand(3, -1))
