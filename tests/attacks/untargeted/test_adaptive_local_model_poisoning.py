import pytest
import torch

from sparring.attacks import AdaptiveLocalModelPoisoning, LocalModelPoisoning
from sparring.conformance.adversary import BENIGN, OWN, Rule, attacker_view


@pytest.mark.parametrize(
    ("family", "form"), [("coordinate", "trimmed_mean"), ("distance", "krum"), ("root", "fltrust")]
)
def test_it_is_the_form_with_full_knowledge_that_fits_the_rule(family, form):
    adaptive = AdaptiveLocalModelPoisoning().craft(attacker_view(rule=Rule(family)))
    assert torch.equal(adaptive, LocalModelPoisoning(form=form, knowledge="full", scale=2.0).craft(attacker_view()))


def test_other_benign_updates_are_answered_by_other_rows():
    one, other = (AdaptiveLocalModelPoisoning().craft(attacker_view(benign)) for benign in (BENIGN, -BENIGN))
    assert not torch.equal(one, other)


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(AdaptiveLocalModelPoisoning().craft(attacker_view(benign=OWN[:0])), OWN)
