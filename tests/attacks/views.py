"""Small rounds to attack, as the conformance kit plays them."""

from sparring.conformance.adversary import BENIGN, OWN, RandomShards, Rule, logistic, narrowed, updates
from sparring.conformance.adversary import attacker_view as view

__all__ = ["BENIGN", "LOGISTIC", "OWN", "RandomShards", "Rule", "narrowed", "updates", "view"]

LOGISTIC = logistic()
