"""Small rounds to attack, as the conformance kit plays them."""

from sparring.conformance.adversary import HONEST, OWN, RandomShards, Rule, logistic, narrowed, updates
from sparring.conformance.adversary import attacker_view as view

__all__ = ["HONEST", "LOGISTIC", "OWN", "RandomShards", "Rule", "narrowed", "updates", "view"]

LOGISTIC = logistic()
