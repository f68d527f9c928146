"""The conformance kit: what every player, data set, partition and model must do, as checks that anyone can run.

    from sparring.conformance import conformance
    assert not [finding for finding in conformance(MyRule()) if finding.failures]

The tests of Sparring's own catalogues are these checks, too.
"""

from sparring.conformance.check import Check, PlayerFinding, examine, failures
from sparring.conformance.kit import CHECKS, conformance
from sparring.kinds import kind_of

__all__ = [
    "CHECKS",
    "Check",
    "PlayerFinding",
    "conformance",
    "examine",
    "failures",
    "kind_of",
]
